//! The other side: builds requests, reads responses, moves no bytes itself.

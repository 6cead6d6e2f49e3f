//! The virtual line: a phone that a person, a page or a test answers through the control surface.

use callerid_service::{Call, Prompt, VIRTUAL_LINE};

use super::PhoneLine;

/// Calls that ring nowhere but on the control surface.
///
/// All there is of such a call is its state in the store, which the control surface shows and changes: there
/// is nothing to dial, nothing to say and, after a restart, nothing to take up.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualLine;

impl PhoneLine for VirtualLine {
    fn name(&self) -> &'static str {
        VIRTUAL_LINE
    }

    fn place(&self, _: &Call) {}

    fn resume(&self, _: &Call) {}

    fn play(&self, _: &Call, _: Prompt) {}

    fn hang_up(&self, _: &Call, _: Option<Prompt>) {}
}

//! The virtual line: a phone that a person, a page or a test answers through the control surface.

use callerid_service::{Call, Line, Prompt};

use super::PhoneLine;

/// Calls that ring only on the control surface.
///
/// Such a call consists only of its state in the store, which the control surface shows and
/// changes. There is nothing to dial, nothing to play and, after a restart, nothing to resume.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualLine;

impl PhoneLine for VirtualLine {
    fn line(&self) -> Line {
        Line::Virtual
    }

    fn place(&self, _: &Call) {}

    fn resume(&self, _: &Call) {}

    fn play(&self, _: &Call, _: Prompt) {}

    fn hang_up(&self, _: &Call, _: Option<Prompt>) {}
}

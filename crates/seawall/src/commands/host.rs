//! This machine and its images.

use crate::exit::Result;
use crate::inventory::Reader;
use seawall_model::{Incomplete, IncompleteReason, Inventory};

/// Which images are scanned beside the machine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Images {
    None,
    Running,
    All,
}

/// The machine's inventory, then those of its images. An image that cannot be read is told in the
/// machine's own inventory: the others are still scanned.
pub(crate) fn inventories(reader: &Reader<'_>, images: Images) -> Result<Vec<Inventory>> {
    let mut machine = reader.host()?;
    let mut scanned = Vec::new();
    for image in chosen(images, &mut machine) {
        match reader.image(&image) {
            Ok(inventory) => scanned.push(inventory),
            Err(failure) => {
                let message = format!("the image was not scanned: {:#}", failure.error);
                let mut missed = Incomplete::new(IncompleteReason::Unreadable, image, message);
                missed.hint = failure.hint;
                machine.incomplete.push(missed);
            }
        }
    }
    scanned.insert(0, machine);
    Ok(scanned)
}

/// The images as `seawall scan image` takes them.
fn chosen(images: Images, machine: &mut Inventory) -> Vec<String> {
    let listed = match images {
        Images::None => return Vec::new(),
        Images::Running => (Vec::new(), Vec::new()),
        Images::All => (Vec::new(), Vec::new()),
    };
    machine.incomplete.extend(listed.1);
    listed.0
}

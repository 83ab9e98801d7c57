//! Hackage: numbers with dots between, compared number by number; `1.0` is below `1.0.0`
//! (Package Versioning Policy; `Data.Version` of GHC's base). Tags (`1.0-rc`) are no longer part
//! of a version.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Hackage;

impl Scheme for Hackage {
    type Version<'a> = &'a str;

    fn parse(text: &str) -> Result<&str, &'static str> {
        if text.split('.').all(number::is_number) {
            Ok(text)
        } else {
            Err("it is not numbers with dots between")
        }
    }

    fn order(a: &&str, b: &&str) -> Ordering {
        number::order_lists(a.split('.'), b.split('.'))
    }
}

//! CRAN: numbers with `.` or `-` between ("Writing R Extensions", 1.1.1), compared like R's
//! `compareVersion`: number by number, and `1.0` is below `1.0.0`.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Cran;

impl Scheme for Cran {
    type Version<'a> = &'a str;

    fn parse(text: &str) -> Result<&str, &'static str> {
        if numbers(text).all(number::is_number) {
            Ok(text)
        } else {
            Err("it is not numbers with dots or hyphens between")
        }
    }

    fn order(a: &&str, b: &&str) -> Ordering {
        number::order_lists(numbers(a), numbers(b))
    }
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '-'])
}

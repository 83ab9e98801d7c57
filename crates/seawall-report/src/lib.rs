//! Findings and inventories as people and machines read them.

use seawall_model::{Finding, Inventory};

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Version of the program that made it.
    pub tool_version: &'a str,
    /// What is in the target.
    pub inventory: &'a Inventory,
    /// What is wrong with it, the highest priority first, the suppressed ones included.
    pub findings: &'a [Finding],
    /// The database that was matched against; `None` if there was none.
    pub database: Option<DatabaseInfo>,
}

/// The advisory database of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// SHA-256 of its content, in hex.
    pub digest: String,
    /// The newest date of any record in it, RFC 3339.
    pub newest: Option<String>,
    /// Number of advisories.
    pub advisories: u64,
}

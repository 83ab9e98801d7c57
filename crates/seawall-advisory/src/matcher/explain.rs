//! Every statement on a package, those that came to nothing too: what `db lookup` shows.

use super::applies::applies;
use super::minor::settle;
use super::package::Versions;
use super::ranges::{Installed, Place, place};
use super::select::Selector;
use crate::database::stored::{Row, RowState};
use crate::database::{Database, DatabaseError};
use crate::query::LookupStatement;
use seawall_model::{Distro, Ecosystem, Package};

/// What a statement means for a package's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// The version has the flaw.
    Affected {
        /// The lowest version with the fix above it.
        fixed: Option<String>,
    },
    /// It does not.
    NotAffected,
    /// The publisher is looking into it.
    UnderInvestigation,
    /// The statement is about another architecture, module stream or kind of package, or says of
    /// other versions that they are not affected.
    Elsewhere,
    /// The advisory was withdrawn.
    Withdrawn,
    /// The versions could not be compared, and why.
    NotComparable(String),
}

impl Database {
    /// The key of the ecosystem that was looked into, and the statements.
    pub(crate) fn statements(
        &self,
        package: &Package,
        distro: Option<&Distro>,
    ) -> Result<(Option<String>, Vec<LookupStatement>), DatabaseError> {
        let selection = Selector::new(self, distro).select(package);
        let Some((ecosystem, key)) = selection.scope() else {
            return Ok((None, Vec::new()));
        };
        let (source_name, source_version) = &selection.source;
        let versions = Versions::new(ecosystem, package, source_version);
        let mut statements = Vec::new();
        for bucket in selection.buckets(self, key)? {
            for row in &bucket.rows {
                let says = if self.advisory_entry(row.advisory)?.withdrawn {
                    Says::Withdrawn
                } else if applies(row, bucket.name, package, source_name) {
                    says(versions.of(row), row)
                } else {
                    Says::Elsewhere
                };
                statements.push(self.statement(ecosystem, bucket.name, row, says)?);
            }
        }
        statements.sort_by(|a, b| (&a.flaws, &a.advisory).cmp(&(&b.flaws, &b.advisory)));
        Ok((Some(key.to_owned()), statements))
    }

    fn statement(
        &self,
        ecosystem: &Ecosystem,
        name: &str,
        row: &Row<'_>,
        says: Says,
    ) -> Result<LookupStatement, DatabaseError> {
        let mut flaws = Vec::new();
        for flaw in self.advisory_flaws(row.advisory)? {
            flaws.push(self.flaw(flaw)?.id.to_owned());
        }
        Ok(LookupStatement {
            advisory: self.core(row.advisory)?.id.to_owned(),
            source: self.advisory_entry(row.advisory)?.source,
            flaws,
            affected: row.to_affected(ecosystem, name),
            says,
        })
    }
}

fn says(installed: &Installed<'_>, row: &Row<'_>) -> Says {
    let place = match place(installed, row) {
        Err(error) => return Says::NotComparable(error.to_string()),
        Ok(place) => settle(installed, row, place).0,
    };
    match place {
        Place::Outside { .. } if row.state == RowState::NotAffected => Says::Elsewhere,
        Place::Outside { .. } => Says::NotAffected,
        Place::Inside { fixed, .. } => match row.state {
            RowState::NotAffected => Says::NotAffected,
            RowState::UnderInvestigation => Says::UnderInvestigation,
            RowState::Affected | RowState::WontFix => Says::Affected {
                fixed: fixed.map(str::to_owned),
            },
        },
    }
}

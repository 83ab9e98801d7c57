//! Which names mean the same flaw.
//!
//! `aliases` of a record about a single flaw say so, and are followed across publishers. Three
//! things keep one bad record from chaining flaws together that have nothing to do with each other:
//! a bulletin joins nothing, whatever it covers; a withdrawn record joins itself to one other name
//! at most (many are withdrawn as duplicates, or because their aliases were wrong); and no flaw
//! gets more than [`MAX_CVES`] CVEs: the record that would bring it there is taken as a bulletin
//! that covers each of its aliases.

use crate::database::cve_number;
use crate::record::{Advisory, CnnvdEntry, KevEntry};
use std::collections::{BTreeMap, HashMap};

/// The most CVEs that are taken as names of one flaw. Records that list two or three for one flaw
/// are common, as numbers are given twice by mistake; longer lists are collections.
const MAX_CVES: usize = 4;

/// Flaws, and who speaks of which.
pub(super) struct Identity {
    /// Ordered by identifier.
    pub(super) flaws: Vec<FlawNames>,
    /// For each advisory its flaws, ascending, and whether it is a bulletin about them.
    pub(super) of_advisory: Vec<(Vec<u32>, bool)>,
    /// For each entry of CISA's catalogue its flaw.
    pub(super) of_kev: Vec<u32>,
    /// For each CNNVD entry its flaws, ascending.
    pub(super) of_cnnvd: Vec<Vec<u32>>,
}

/// The names of a flaw.
pub(super) struct FlawNames {
    /// The lowest CVE, else a GHSA, else the first of the others.
    pub(super) id: String,
    /// The others, sorted.
    pub(super) aliases: Vec<String>,
}

/// Joins the names. The result does not depend on the order of threads: advisories come sorted.
pub(super) fn flaws(advisories: &[Advisory], kev: &[KevEntry], cnnvd: &[CnnvdEntry]) -> Identity {
    let mut names = Names::default();
    let mut nodes_of: Vec<(Vec<u32>, bool)> = vec![(Vec::new(), false); advisories.len()];

    // Records with few CVEs first: a collection then meets flaws as they are, and cannot join them.
    let mut order: Vec<usize> = (0..advisories.len()).collect();
    order.sort_by_key(|&at| cves_named(&advisories[at]));
    for at in order {
        nodes_of[at] = names.place(&advisories[at]);
    }
    let kev_nodes: Vec<u32> = kev.iter().map(|entry| names.node(&entry.cve)).collect();
    let cnnvd_nodes: Vec<Vec<u32>> = cnnvd
        .iter()
        .map(|entry| match entry.cves.as_slice() {
            [] => vec![names.node(&entry.id)],
            cves => cves.iter().map(|cve| names.node(cve)).collect(),
        })
        .collect();

    let used = nodes_of
        .iter()
        .flat_map(|(nodes, _)| nodes)
        .chain(&kev_nodes)
        .chain(cnnvd_nodes.iter().flatten());
    let (flaws, flaw_of_root) = names.components(used.copied().collect());
    let mut numbers = |nodes: &[u32]| -> Vec<u32> {
        let mut numbers: Vec<u32> = nodes
            .iter()
            .filter_map(|&node| flaw_of_root.get(&names.root(node)).copied())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    Identity {
        of_advisory: nodes_of
            .iter()
            .map(|(nodes, bulletin)| (numbers(nodes), *bulletin))
            .collect(),
        of_kev: kev_nodes
            .iter()
            .flat_map(|&node| numbers(&[node]))
            .collect(),
        of_cnnvd: cnnvd_nodes.iter().map(|nodes| numbers(nodes)).collect(),
        flaws,
    }
}

fn cves_named(advisory: &Advisory) -> usize {
    std::iter::once(&advisory.id)
        .chain(&advisory.aliases)
        .filter(|name| cve_number(name).is_some())
        .count()
}

/// Union-find over names, case ignored.
#[derive(Default)]
struct Names {
    index: HashMap<String, u32>,
    spelling: Vec<String>,
    parent: Vec<u32>,
    /// For roots: the CVEs in the component.
    cves: Vec<usize>,
}

impl Names {
    fn node(&mut self, name: &str) -> u32 {
        let key = name.to_ascii_uppercase();
        if let Some(&node) = self.index.get(&key) {
            return node;
        }
        let node = u32::try_from(self.spelling.len()).unwrap_or(u32::MAX);
        self.index.insert(key, node);
        self.spelling.push(name.to_owned());
        self.parent.push(node);
        self.cves.push(usize::from(cve_number(name).is_some()));
        node
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let above = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = above;
            node = above;
        }
        node
    }

    /// The nodes of the flaws an advisory is about, and whether it is a bulletin.
    fn place(&mut self, advisory: &Advisory) -> (Vec<u32>, bool) {
        if !advisory.covers.is_empty() {
            let covered = advisory.covers.iter().map(|flaw| self.node(&flaw.id));
            return (covered.collect(), true);
        }
        let own = self.node(&advisory.id);
        let mut aliases: Vec<&String> = advisory.aliases.iter().collect();
        aliases.sort_by_key(|name| rank(name));
        if advisory.withdrawn.is_some() {
            aliases.truncate(1);
        }
        let aliases: Vec<u32> = aliases.iter().map(|name| self.node(name)).collect();
        if self.join(own, &aliases) {
            (vec![own], false)
        } else {
            (aliases, true)
        }
    }

    /// Makes the nodes one flaw, or leaves them as they are when it would have too many CVEs.
    fn join(&mut self, own: u32, others: &[u32]) -> bool {
        let mut roots: Vec<u32> = others.iter().map(|&node| self.root(node)).collect();
        roots.push(self.root(own));
        roots.sort_unstable();
        roots.dedup();
        let cves: usize = roots.iter().map(|&root| self.cves[root as usize]).sum();
        if cves > MAX_CVES {
            return false;
        }
        if let Some((&first, rest)) = roots.split_first() {
            for &root in rest {
                self.parent[root as usize] = first;
            }
            self.cves[first as usize] = cves;
        }
        true
    }

    /// The components of the used nodes, ordered by identifier, and the number of each root's.
    fn components(&mut self, used: Vec<u32>) -> (Vec<FlawNames>, HashMap<u32, u32>) {
        let used: std::collections::HashSet<u32> =
            used.into_iter().map(|node| self.root(node)).collect();
        let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for node in 0..self.spelling.len() {
            let node = u32::try_from(node).unwrap_or(u32::MAX);
            let root = self.root(node);
            if used.contains(&root) {
                members.entry(root).or_default().push(node);
            }
        }
        let mut flaws: Vec<(u32, FlawNames)> = members
            .into_iter()
            .filter_map(|(root, nodes)| {
                let mut names: Vec<String> = nodes
                    .iter()
                    .map(|&node| self.spelling[node as usize].clone())
                    .collect();
                let first = (0..names.len()).min_by_key(|&at| rank(&names[at]))?;
                let id = names.swap_remove(first);
                names.sort_unstable();
                Some((root, FlawNames { id, aliases: names }))
            })
            .collect();
        flaws.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        let numbers = flaws
            .iter()
            .zip(0..)
            .map(|((root, _), number)| (*root, number))
            .collect();
        (flaws.into_iter().map(|(_, flaw)| flaw).collect(), numbers)
    }
}

/// The order of names, the best first.
fn rank(name: &str) -> (u8, (u32, u32), String) {
    match cve_number(name) {
        Some(number) => (0, number, String::new()),
        None if name.starts_with("GHSA-") => (1, (0, 0), name.to_owned()),
        None => (2, (0, 0), name.to_owned()),
    }
}

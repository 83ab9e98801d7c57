//! Which names mean the same flaw.
//!
//! `aliases` of a record about a single flaw say so, and are followed across publishers. Different
//! CVEs are different flaws, whatever lists them side by side: a record that names several is taken
//! as a bulletin that covers each of them, and its other names join nothing, as it is not told which
//! of the CVEs each belongs to. Two more things keep one bad record from chaining flaws together
//! that have nothing to do with each other: a bulletin joins nothing, whatever it covers; and a
//! withdrawn record joins itself to one other name at most (many are withdrawn as duplicates, or
//! because their aliases were wrong).

use crate::database::cve_number;
use crate::record::{Advisory, CnnvdEntry, KevEntry};
use std::collections::{BTreeMap, HashMap, HashSet};

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
    /// Its CVE, else a GHSA, else the first of the others.
    pub(super) id: String,
    /// The others, sorted.
    pub(super) aliases: Vec<String>,
}

/// Joins the names. The result does not depend on the order of threads: advisories come sorted.
pub(super) fn flaws(advisories: &[Advisory], kev: &[KevEntry], cnnvd: &[CnnvdEntry]) -> Identity {
    let mut names = Names::default();
    let mut nodes_of: Vec<(Vec<u32>, bool)> = vec![(Vec::new(), false); advisories.len()];

    let named: Vec<Named> = advisories.iter().map(|one| names.read(one)).collect();
    // What a record calls itself comes before what others call it.
    for one in &named {
        if let Named::Flaw {
            own,
            cve: Some(cve),
            ..
        } = one
        {
            names.join(*own, *cve);
        }
    }
    // Records with a CVE first: the others then meet names that are told apart by it.
    let mut order: Vec<usize> = (0..named.len()).collect();
    order.sort_by_key(|&at| !matches!(named[at], Named::Flaw { cve: Some(_), .. }));
    for at in order {
        nodes_of[at] = names.place(&named[at]);
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

/// What a record says of names.
enum Named {
    /// It is about one flaw.
    Flaw {
        own: u32,
        /// The one CVE among its names.
        cve: Option<u32>,
        others: Vec<u32>,
    },
    /// It is about each of these.
    Bulletin(Vec<u32>),
}

/// Union-find over names, case ignored.
#[derive(Default)]
struct Names {
    index: HashMap<String, u32>,
    spelling: Vec<String>,
    parent: Vec<u32>,
    /// For roots: whether a CVE is in the component.
    has_cve: Vec<bool>,
    /// The names of records about several CVEs, which are not told apart by them.
    shared: HashSet<u32>,
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
        self.has_cve.push(cve_number(name).is_some());
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

    /// The nodes of an advisory's names.
    fn read(&mut self, advisory: &Advisory) -> Named {
        if !advisory.covers.is_empty() {
            let covered = advisory.covers.iter().map(|flaw| self.node(&flaw.id));
            return Named::Bulletin(covered.collect());
        }
        let own = self.node(&advisory.id);
        let mut aliases: Vec<&String> = advisory.aliases.iter().collect();
        aliases.sort_by_key(|name| rank(name));
        if advisory.withdrawn.is_some() {
            aliases.truncate(1);
        }
        let mut others: Vec<u32> = aliases.iter().map(|name| self.node(name)).collect();
        let is_cve = |node: &u32| self.has_cve[*node as usize];
        let mut cves: Vec<u32> = others.iter().copied().chain([own]).filter(is_cve).collect();
        others.retain(|node| !is_cve(node));
        cves.sort_unstable();
        cves.dedup();
        match cves.as_slice() {
            [] => Named::Flaw {
                own,
                cve: None,
                others,
            },
            &[cve] => Named::Flaw {
                own,
                cve: Some(cve),
                others,
            },
            _ => {
                self.shared
                    .extend((!self.has_cve[own as usize]).then_some(own));
                Named::Bulletin(cves)
            }
        }
    }

    /// Makes the nodes one flaw, unless it would have two CVEs.
    fn join(&mut self, own: u32, other: u32) {
        let (root, other_root) = (self.root(own), self.root(other));
        let apart = self.has_cve[root as usize] && self.has_cve[other_root as usize];
        if root == other_root || apart || self.shared.contains(&other) {
            return;
        }
        self.parent[other_root as usize] = root;
        self.has_cve[root as usize] |= self.has_cve[other_root as usize];
    }

    /// Joins a record's names. The nodes of the flaws that it is about, and whether it is a bulletin
    /// about them.
    fn place(&mut self, named: &Named) -> (Vec<u32>, bool) {
        let (own, cve, others) = match named {
            Named::Bulletin(covered) => return (covered.clone(), true),
            Named::Flaw { own, cve, others } => (*own, *cve, others),
        };
        if let Some(cve) = cve
            && self.root(own) != self.root(cve)
        {
            // Another record of this name is about another CVE.
            return (vec![cve], true);
        }
        let mut cves: Vec<u32> = others
            .iter()
            .chain([&own])
            .map(|&node| self.root(node))
            .collect();
        cves.retain(|&root| self.has_cve[root as usize]);
        cves.sort_unstable();
        cves.dedup();
        if cve.is_none() && cves.len() > 1 {
            self.shared.insert(own);
            return (cves, true);
        }
        for &other in others {
            self.join(own, other);
        }
        (vec![own], false)
    }

    /// The components of the used nodes, ordered by identifier, and the number of each root's.
    fn components(&mut self, used: Vec<u32>) -> (Vec<FlawNames>, HashMap<u32, u32>) {
        let used: HashSet<u32> = used.into_iter().map(|node| self.root(node)).collect();
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

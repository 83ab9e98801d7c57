//! The front door: an artifact in, an inventory out.

use crate::analyzers::{self, Analyzer};
use crate::base::{self, Catalogue};
use crate::end_of_life::end_of_life;
use crate::layer::{LayerContents, LayerReader};
use crate::links;
use crate::pipeline::Pipeline;
use crate::reconcile::reconcile;
use crate::squash::squash;
use jiff::civil::Date;
use seawall_artifact::{Artifact, Error, ImageInfo, Progress, ReadArtifact, ReadLayer, chain_ids};
use seawall_model::{Inventory, Layer, Target, TargetKind};

/// How to scan.
#[derive(Debug, Clone)]
pub struct ScanOptions<'a> {
    /// The target as the user named it.
    pub name: String,
    /// The day by which it is decided whether a distribution's support has ended.
    pub today: Date,
    /// List packages that serve only to develop or test, too.
    pub include_development: bool,
    /// The base images that are known, to tell whose layers are whose.
    pub bases: Option<&'a Catalogue>,
    /// Who owns the layers that belong to no known base image.
    pub owner: Option<String>,
    /// Directories whose files are not looked at, from the root, without a leading slash.
    pub excluded: Vec<String>,
    /// Bytes of files that wait for an analyzer, beyond which reading does the analysis itself.
    pub held_bytes: u64,
    /// Packages that are listed, of all layers before they are merged.
    pub max_packages: u64,
    /// Files that could not be read and are listed one by one.
    pub max_incomplete: u64,
}

/// The most packages that are listed of package managers, and the most others.
pub(crate) const MAX_PACKAGES: u64 = 500_000;

impl ScanOptions<'_> {
    /// Options for a target of this name, scanned on this day.
    #[must_use]
    pub fn new(name: impl Into<String>, today: Date) -> Self {
        Self {
            name: name.into(),
            today,
            include_development: false,
            bases: None,
            owner: None,
            excluded: Vec::new(),
            held_bytes: 32 << 20,
            max_packages: MAX_PACKAGES,
            max_incomplete: 10_000,
        }
    }
}

/// Reads an artifact and lists what is in it. What could not be read is in
/// [`Inventory::incomplete`].
///
/// # Errors
/// Nothing at all could be read.
pub fn scan_artifact(
    artifact: Artifact,
    options: &ScanOptions<'_>,
    progress: &dyn Progress,
) -> Result<Inventory, Error> {
    scan_with(analyzers::ALL, options, |readers| {
        artifact.read(&|| readers.open(), progress)
    })
}

/// Makes a visitor for each layer.
pub(crate) struct Readers<'a, 'scope> {
    pipeline: &'scope Pipeline<'scope>,
    scope: &'a rayon::Scope<'scope>,
}

impl<'a, 'scope> Readers<'a, 'scope> {
    pub(crate) fn open(&self) -> LayerReader<'a, 'scope> {
        LayerReader::new(self.pipeline, self.scope)
    }
}

/// Scans what `read` reads, with these analyzers.
pub(crate) fn scan_with<F>(
    analyzers: &[&dyn Analyzer],
    options: &ScanOptions<'_>,
    read: F,
) -> Result<Inventory, Error>
where
    F: for<'a, 'scope> FnOnce(
        &Readers<'a, 'scope>,
    ) -> Result<ReadArtifact<LayerReader<'a, 'scope>>, Error>,
{
    let pipeline = Pipeline::new(analyzers, options);
    // The scope ends when the last file is analyzed.
    let artifact = rayon::in_place_scope(|scope| {
        let readers = Readers {
            pipeline: &pipeline,
            scope,
        };
        read(&readers).map(|artifact| with_visitors(artifact, LayerReader::finish))
    })?;
    let layers = describe_layers(&artifact, options);
    let (info, read_layers) = (artifact.image, artifact.layers);
    let mut contents: Vec<LayerContents> = read_layers
        .into_iter()
        .map(|layer| layer.visitor.contents())
        .collect();
    let mut squashed = squash(&mut contents, &pipeline.hasher);
    links::follow(&contents, &mut squashed, &pipeline);
    drop(contents);
    let mut incomplete = pipeline.not_kept(&options.name);
    incomplete.extend(artifact.incomplete);
    let mut settled = reconcile(squashed, &pipeline.hasher, options.include_development);
    incomplete.append(&mut settled.incomplete);
    if let Some(distro) = &mut settled.distro {
        distro.end_of_life = end_of_life(distro, options.today);
    }
    for package in &mut settled.packages {
        let layer = package.layer.and_then(|index| layers.get(index as usize));
        package.layer = layer.map(|layer| layer.index);
        package.role = layer.map(|layer| layer.role).unwrap_or_default();
        package.owner = match layer {
            Some(layer) => layer.owner.clone(),
            None => options.owner.clone(),
        };
    }
    Ok(Inventory {
        target: describe_target(info, options),
        distro: settled.distro,
        layers,
        packages: settled.packages,
        development_excluded: settled.development_excluded,
        notes: settled.notes,
        incomplete,
    })
}

fn with_visitors<V, W>(artifact: ReadArtifact<V>, change: impl Fn(V) -> W) -> ReadArtifact<W> {
    let layers = artifact.layers.into_iter().map(|layer| ReadLayer {
        digest: layer.digest,
        diff_id: layer.diff_id,
        verified: layer.verified,
        whole: layer.whole,
        size: layer.size,
        created_by: layer.created_by,
        visitor: change(layer.visitor),
    });
    ReadArtifact {
        image: artifact.image,
        layers: layers.collect(),
        incomplete: artifact.incomplete,
    }
}

/// The layers of an image with their roles; none for a directory.
fn describe_layers<V>(artifact: &ReadArtifact<V>, options: &ScanOptions<'_>) -> Vec<Layer> {
    let Some(image) = &artifact.image else {
        return Vec::new();
    };
    let diff_ids = artifact
        .layers
        .iter()
        .map_while(|layer| layer.diff_id.as_deref());
    let chain = chain_ids(diff_ids);
    let mut layers: Vec<Layer> = (0..)
        .zip(&artifact.layers)
        .map(|(index, layer)| Layer {
            index,
            digest: layer.digest.clone(),
            diff_id: layer.diff_id.clone(),
            verified: layer.verified,
            chain_id: chain.get(index as usize).cloned(),
            created_by: layer.created_by.as_deref().map(base::instruction),
            size: layer.size,
            ..Layer::default()
        })
        .collect();
    base::assign_roles(
        &mut layers,
        &image.history,
        options.bases,
        options.owner.as_deref(),
    );
    layers
}

fn describe_target(image: Option<ImageInfo>, options: &ScanOptions<'_>) -> Target {
    let name = options.name.clone();
    match image {
        None => Target {
            kind: TargetKind::Filesystem,
            name,
            ..Target::default()
        },
        Some(image) => Target {
            kind: TargetKind::Image,
            name,
            place: None,
            digest: image.digest,
            other_digests: image.other_digests,
            tags: image.tags,
            named_by_store: image.named_by_store,
            platform: image.platform,
            created: image.created,
            labels: image.labels,
        },
    }
}

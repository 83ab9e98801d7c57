//! Gives each layer its role and owner.

use super::catalogue::{BaseImage, Catalogue};
use super::instruction::instruction;
use seawall_model::{Layer, Role};

/// Marks the layers of known images as theirs (the lowest is the base, what was built on it is
/// middleware), and guesses the role of the others from the
/// image's history (`created_by` and whether the entry made no layer). Layers above the base
/// belong to `owner`.
pub(crate) fn assign_roles(
    layers: &mut [Layer],
    history: &[(String, bool)],
    catalogue: Option<&Catalogue>,
    owner: Option<&str>,
) {
    let chain = verified_chain(layers);
    let known: Vec<BaseImage> = catalogue
        .map(|catalogue| catalogue.identify(&chain).into_iter().cloned().collect())
        .unwrap_or_default();
    let guesses = guess(layers, history);
    for ((index, layer), guess) in (0..).zip(layers.iter_mut()).zip(guesses) {
        match known.iter().position(|image| index < image.layers) {
            // Of two known images one was built on the other, which is the base of both.
            Some(position) => {
                layer.role = match position {
                    0 => Role::Base,
                    _ => Role::Middleware,
                };
                let image = known.get(position);
                layer.base = image.map(|image| image.name.clone());
                layer.owner = image.and_then(|image| image.owner.clone());
            }
            None => {
                // What lies above a known base is no base, whatever it looks like.
                let above_known = guess == Role::Base && !known.is_empty();
                layer.role = if above_known { Role::Middleware } else { guess };
                layer.role_guessed = true;
                if layer.role != Role::Base {
                    layer.owner = owner.map(str::to_owned);
                }
            }
        }
    }
}

/// The chain ids of the layers whose bytes were compared with their digests, from the base up. One
/// that was not is none of a known image: anybody can write another image's digests into a
/// configuration.
pub(super) fn verified_chain(layers: &[Layer]) -> Vec<&str> {
    layers
        .iter()
        .take_while(|layer| layer.verified)
        .map_while(|layer| layer.chain_id.as_deref())
        .collect()
}

/// A guess for each layer: the first is the base's root filesystem if it looks like one; what was
/// made before an image's default command was set, and other layers came on top, is of an image
/// that this one was built from; of the rest, what package managers install is middleware.
fn guess(layers: &[Layer], history: &[(String, bool)]) -> Vec<Role> {
    let of_parents = layers_below_a_command(history);
    let several = layers.len() > 1;
    (0..)
        .zip(layers)
        .map(|(index, layer)| {
            let created_by = layer.created_by.as_deref().unwrap_or_default();
            if index == 0 && is_root_filesystem(created_by, several) {
                Role::Base
            } else if index < of_parents || runs_package_manager(created_by) {
                Role::Middleware
            } else {
                Role::Application
            }
        })
        .collect()
}

/// How many layers lie below the last `CMD` or `ENTRYPOINT` that has layers above it.
fn layers_below_a_command(history: &[(String, bool)]) -> usize {
    let mut layers: usize = 0;
    let mut at_command = 0;
    let mut below = 0;
    for (created_by, is_empty) in history {
        if !is_empty {
            layers = layers.saturating_add(1);
            below = at_command;
            continue;
        }
        let words = instruction(created_by);
        if words.starts_with("CMD ") || words.starts_with("ENTRYPOINT ") {
            at_command = layers;
        }
    }
    below
}

/// `ADD rootfs.tar.xz /`, the script of the official Debian images, a distroless build, or an
/// import that other layers build on.
fn is_root_filesystem(created_by: &str, has_layers_above: bool) -> bool {
    let mut words = created_by.split_ascii_whitespace();
    match words.next() {
        Some("ADD" | "COPY") => words.last() == Some("/"),
        Some("#" | "bazel" | "apko") => true,
        Some(_) => created_by.starts_with("Imported from"),
        None => has_layers_above,
    }
}

/// Commands that install packages from a distribution or for the whole system.
const PACKAGE_MANAGERS: &[&str] = &[
    "apt-get install",
    "apt install",
    "apt-get -y install",
    "apt-get update",
    "apt-get upgrade",
    "apt-get dist-upgrade",
    "apk add",
    "apk upgrade",
    "apk --no-cache add",
    "apk update",
    "yum install",
    "yum -y install",
    "yum update",
    "dnf install",
    "dnf -y install",
    "dnf update",
    "microdnf install",
    "microdnf update",
    "tdnf install",
    "zypper install",
    "zypper -n install",
    "zypper in ",
    "pacman -S",
    "rpm -i",
    "rpm -U",
    "dpkg -i",
    "npm install -g",
    "npm i -g",
    "npm install --global",
    "yarn global add",
    "corepack enable",
    "pip install --upgrade pip",
    "gem install",
    "pecl install",
    "docker-php-ext-install",
];

fn runs_package_manager(instruction: &str) -> bool {
    let Some(command) = instruction.strip_prefix("RUN ") else {
        return false;
    };
    PACKAGE_MANAGERS
        .iter()
        .any(|manager| command.contains(manager))
        || installs_named_packages(command)
}

/// `pip install NAME...`, but not the application's own requirements or tree.
fn installs_named_packages(command: &str) -> bool {
    command
        .split("pip install")
        .chain(command.split("pip3 install"))
        .skip(1)
        .any(|rest| {
            rest.split(['&', ';', '|'])
                .next()
                .unwrap_or_default()
                .split_ascii_whitespace()
                .all(|word| !matches!(word, "-r" | "--requirement" | "-e" | "."))
                && !rest.trim().is_empty()
                && command.contains("install")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// History entries as a Dockerfile would say them; those that begin with `-` made no layer.
    fn check(history: &[&str], expected: &[Role]) {
        let history: Vec<(String, bool)> = history
            .iter()
            .map(|line| match line.strip_prefix('-') {
                Some(empty) => (empty.to_owned(), true),
                None => ((*line).to_owned(), false),
            })
            .collect();
        let mut layers: Vec<Layer> = history
            .iter()
            .filter(|(_, empty)| !empty)
            .map(|(created_by, _)| Layer {
                created_by: Some(created_by.clone()),
                ..Layer::default()
            })
            .collect();
        assign_roles(&mut layers, &history, None, Some("team"));
        let roles: Vec<Role> = layers.iter().map(|layer| layer.role).collect();
        assert_eq!(roles, expected, "{history:?}");
        for layer in &layers {
            assert!(layer.role_guessed);
            assert_eq!(layer.owner.is_some(), layer.role != Role::Base);
        }
    }

    #[test]
    fn layers_of_a_known_base_went_to_the_image_built_on_it() {
        let image = |name: &str, chain_id: &str, layers| BaseImage {
            name: name.to_owned(),
            owner: Some(format!("owner of {name}")),
            chain_id: chain_id.to_owned(),
            layers,
            ..BaseImage::default()
        };
        let mut catalogue = Catalogue::default();
        catalogue.add(image("debian", "a", 1));
        catalogue.add(image("node", "c", 3));
        let mut layers: Vec<Layer> = ["a", "b", "c", "d"]
            .iter()
            .map(|chain_id| Layer {
                chain_id: Some((*chain_id).to_owned()),
                verified: true,
                created_by: Some("COPY . /".to_owned()),
                ..Layer::default()
            })
            .collect();
        assign_roles(&mut layers, &[], Some(&catalogue), Some("team"));
        let found = layers.iter().map(|layer| {
            let owner = layer.owner.as_deref().unwrap_or_default();
            (layer.role, layer.base.as_deref(), owner)
        });
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                (Role::Base, Some("debian"), "owner of debian"),
                (Role::Middleware, Some("node"), "owner of node"),
                (Role::Middleware, Some("node"), "owner of node"),
                (Role::Application, None, "team"),
            ]
        );
    }

    #[test]
    fn roles_are_guessed_from_the_history() {
        use Role::{Application, Base, Middleware};
        check(
            &[
                "ADD file:1 /",
                "-CMD [\"bash\"]",
                "RUN apt-get update && apt-get install -y nginx",
                "COPY . /app",
                "RUN make",
                "-CMD [\"app\"]",
            ],
            &[Base, Middleware, Application, Application],
        );
        check(
            &[
                "# debian.sh --arch amd64",
                "RUN wget python.tar.xz && make install",
                "-CMD [\"python3\"]",
                "COPY . .",
                "RUN pip install -r requirements.txt",
            ],
            &[Base, Middleware, Application, Application],
        );
        check(
            &["COPY app /app", "RUN pip install uwsgi"],
            &[Application, Middleware],
        );
        check(&["ADD rootfs.tar.gz /"], &[Base]);
        check(&["", "COPY a /a"], &[Base, Application]);
        check(&[], &[]);
    }
}

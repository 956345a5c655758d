//! The name of an image that is read as another registry's than the one that was meant.

use crate::Scene;
use crate::cause::Claim;
use why401_report::Party;

/// Where names without a registry lead (distribution/reference, `ParseNormalizedNamed`: `docker.io`, and `library` for names
/// of one part).
const HUB: [&str; 2] = ["docker.io/library/", "docker.io/"];

/// Docker Hub was asked for an image whose name begins with what names a registry of one's own: the registry alone was
/// given, or it was taken for a part of the name.
pub(super) fn at_another_registry(scene: &Scene<'_>) -> Option<Claim> {
    scene.texts().find_map(|(source, text)| {
        let plain = text.to_text();
        let (at, name) = HUB.iter().find_map(|hub| {
            let at = plain.find(hub)?;
            let rest = plain.get(at + hub.len()..)?;
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-'));
            Some((at, rest.get(..end?)?))
        })?;
        // A registry's host has a dot (distribution/reference); the Hub's own names have none.
        if !name.contains('.') || name.starts_with("docker.") || name.starts_with("index.") {
            return None;
        }
        // 5000 is the port that registries listen on by themselves (distribution, "Configuring a registry", http.addr).
        let meant = scene.texts().find(|(_, t)| {
            let t = t.to_text();
            [format!("//{name}:"), format!("//{name}/"), format!("{name}:5000"), format!("{name}/v2")]
                .iter()
                .any(|mark| t.contains(mark.as_str()))
        })?;
        let from = meant.1.to_text().find(name)?;
        Some(
            Claim::new(format!(
                "{name} was read as the name of an image at Docker Hub, and not as a registry"
            ))
            .shown([scene.show_part(
                source,
                text,
                at..at + plain.get(at..)?.find(name)? + name.len(),
                "asked there",
            )])
            .shown([scene.show_part(
                meant.0,
                meant.1,
                from..from + name.len(),
                "the registry that was meant",
            )])
            .fix(Party::Caller, "Name registry and repository: HOST[:PORT]/REPOSITORY[:TAG].")
            .or("resource-hidden", "whether Docker Hub has an image of this name"),
        )
    })
}

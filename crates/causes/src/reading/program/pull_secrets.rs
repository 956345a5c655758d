//! Kubernetes: a pod that names a secret for its registry, and the secret that was made for it.
//!
//! The secret must be of the pod's namespace (Kubernetes, "Pull an Image from a Private Registry"); where it is not found, the
//! image is asked for without credentials.

use super::Slip;
use std::ops::Range;

/// Whether a text has both in it.
pub(super) fn concerns(text: &str) -> bool {
    text.contains("imagePullSecrets") && text.contains("create secret docker-registry")
}

pub(super) fn slips(text: &str) -> Option<Slip> {
    let made = word_after(text, "create secret docker-registry", 0)?;
    let line = text.get(made.end..).and_then(|t| t.lines().next()).unwrap_or_default();
    let option = |names: &[&str]| {
        let mut words = line.split([' ', '=']).filter(|w| !w.is_empty());
        words.find(|w| names.contains(w)).and_then(|_| words.next())
    };
    let made_in = option(&["-n", "--namespace"]);
    let at = text.find("imagePullSecrets")?;
    let used = word_after(text, "name:", at)?;
    let name = |range: &Range<usize>| text.get(range.clone()).map(|w| w.trim_matches(['"', '\'']));
    if name(&made) != name(&used) {
        let what = "the pod names another secret for its registry than the one that was made";
        return Some(Slip::new(
            "no-credentials",
            used,
            what,
            "Name the secret as it was made, under imagePullSecrets.",
        ));
    }
    let wanted_in = word_after(text, "namespace:", 0)?;
    let here = name(&wanted_in)?;
    let other = made_in.unwrap_or("default") != here;
    other.then(|| {
        let what =
            "the secret for the registry was made in another namespace than the pod's, where it is not found";
        Slip::new(
            "no-credentials",
            wanted_in,
            what,
            "Make the secret in the namespace of the pod (-n NAMESPACE).",
        )
    })
}

/// The word behind a mark that stands after `from`.
fn word_after(text: &str, mark: &str, from: usize) -> Option<Range<usize>> {
    let at = from + text.get(from..)?.find(mark)? + mark.len();
    let rest = text.get(at..)?;
    let begin = at + rest.find(|c: char| !c.is_whitespace())?;
    let len = text.get(begin..)?.find(char::is_whitespace).unwrap_or(text.len() - begin);
    (len > 0).then_some(begin..begin + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_or_namespace_is_seen() {
        let pod = "metadata:\n  namespace: web\nspec:\n  imagePullSecrets:\n  - name: regcred\n";
        for (command, told) in [
            ("kubectl create secret docker-registry regcred --docker-server=r.example -n web\n", false),
            ("kubectl create secret docker-registry regcred --namespace=web\n", false),
            ("kubectl create secret docker-registry other -n web\n", true),
            ("kubectl create secret docker-registry regcred --docker-server=r.example\n", true),
        ] {
            let text = format!("{command}{pod}");
            assert!(concerns(&text));
            assert_eq!(slips(&text).is_some(), told, "{command}");
        }
        assert!(slips("create secret docker-registry").is_none());
    }
}

//! The addresses of the lab: one a cause, or several, each with what it shows.

use crate::lab::{Lab, Session};
use crate::message::{Answer, Request};

/// One address.
pub(crate) struct Station {
    /// The path; what begins with it and a slash belongs to it too.
    pub(crate) path: &'static str,
    /// The cause that it provokes.
    pub(crate) cause: &'static str,
    /// What the server does here.
    pub(crate) does: &'static str,
    /// What a good client does.
    pub(crate) good: &'static str,
    /// The shell line that provokes it with curl; `$LAB` is the address of the lab.
    pub(crate) command: Option<&'static str>,
    /// Answers.
    pub(crate) serve: fn(&mut Call<'_>) -> Answer,
}

/// A request at a station.
pub(crate) struct Call<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) request: &'a Request,
    pub(crate) session: &'a mut Session,
    /// What follows the station's path, without its slash.
    pub(crate) rest: &'a str,
}

impl Call<'_> {
    /// The first segment behind the station's path: the name of an experiment of several requests. Without one,
    /// the client's address.
    pub(crate) fn experiment(&self) -> String {
        let name: String = self.rest.split('/').next().unwrap_or_default().chars().take(64).collect();
        match name.is_empty() {
            true => self.request.below.client.ip().to_string(),
            false => name,
        }
    }

    /// What follows the name of the experiment.
    pub(crate) fn step(&self) -> &str {
        self.rest.split_once('/').map_or("", |(_, step)| step)
    }
}

/// The station of a path and what follows: the longest one that fits.
pub(crate) fn find(path: &str) -> Option<(&'static Station, &str)> {
    all()
        .filter_map(|s| {
            let rest = path.strip_prefix(s.path)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (s, rest.trim_start_matches('/')))
        })
        .max_by_key(|(s, _)| s.path.len())
}

/// Every station, in the order of the catalogue.
pub(crate) fn all() -> impl Iterator<Item = &'static Station> {
    crate::stations::GROUPS.iter().flat_map(|(_, stations)| stations.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_path_stands_once_under_its_cause() {
        let mut seen = BTreeSet::new();
        for station in all() {
            assert!(seen.insert(station.path), "{} stands twice", station.path);
            let first = station.path.split('/').nth(1);
            assert_eq!(first, Some(station.cause), "{} is not under its cause", station.path);
            if let Some(command) = station.command {
                assert!(
                    command.contains("curl -v -s") && command.contains("$LAB"),
                    "{}: {command}",
                    station.path
                );
            }
        }
    }

    #[test]
    fn every_cause_of_the_catalogue_has_its_address() {
        let stations: BTreeSet<&str> = all().map(|s| s.cause).collect();
        let causes: BTreeSet<&str> = why401_causes::CATALOGUE.iter().map(|c| c.meta().name).collect();
        assert_eq!(stations, causes);
    }
}

//! Uploads that come in slices: browsers send several requests at once faster than one, and what has arrived is looked at
//! while the rest is under way.

use crate::Response;
use crate::content::Content;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many at once.
const MOST: usize = 4;
/// Names are not longer.
const LONGEST: usize = 64;

/// The uploads that are under way, by the name that the page gave each.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<BTreeMap<String, Arc<Content>>>);

/// One of them, under way for as long as this lives.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    all: &'a Uploads,
    name: String,
    pub(crate) content: Arc<Content>,
}

impl Uploads {
    /// Begins one of so many bytes; whoever sends nothing for so long has given up.
    ///
    /// # Errors
    /// Where too many are under way, or the name is taken, as an answer.
    pub(crate) fn begin(&self, name: &str, size: u64, patience: Duration) -> Result<Upload<'_>, Response> {
        let mut all = self.lock();
        if all.len() >= MOST {
            return Err(Response::text(503, "busy: try again in a moment"));
        }
        if name.len() > LONGEST || all.contains_key(name) {
            return Err(Response::text(400, "this upload cannot begin"));
        }
        let content = Arc::new(Content::announced(size, patience));
        all.insert(name.to_owned(), Arc::clone(&content));
        Ok(Upload { all: self, name: name.to_owned(), content })
    }

    /// One that is under way.
    ///
    /// # Errors
    /// Where there is no such upload, as an answer.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<Content>, Response> {
        self.lock().get(name).cloned().ok_or_else(|| Response::text(404, "no such upload"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Content>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        self.all.lock().remove(&self.name);
        self.content.cut();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_found_while_they_are_under_way_and_no_longer() {
        let all = Uploads::default();
        let one = all.begin("a", 4, Duration::from_secs(1)).unwrap();
        assert_eq!(all.begin("a", 4, Duration::from_secs(1)).unwrap_err().status, 400);
        assert_eq!(all.find("b").unwrap_err().status, 404);
        let slice = all.find("a").unwrap();
        slice.add(0, b"ab".to_vec()).unwrap();
        assert_eq!(one.content.front(1).unwrap(), 2);
        drop(one);
        assert_eq!(all.find("a").unwrap_err().status, 404);
        assert!(slice.front(4).is_err(), "whoever waits is told at once");
        let many: Vec<_> = (0..MOST).map(|i| all.begin(&i.to_string(), 1, Duration::ZERO).unwrap()).collect();
        assert_eq!(all.begin("x", 1, Duration::ZERO).unwrap_err().status, 503);
        drop(many);
    }
}

//! The data files, embedded. A new file is one line here; a test holds the list against the folder.

macro_rules! files {
    ($($path:literal,)*) => {
        /// Path below `data/` and contents of every file.
        pub(crate) const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../data/", $path)))),*];
    };
}

files! {
    "library/jsonwebtoken.toml",
    "server/nginx.toml",
}

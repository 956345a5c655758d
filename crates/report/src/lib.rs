//! The diagnosis as data.

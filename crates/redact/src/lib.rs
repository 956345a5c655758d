//! What in evidence is secret, and how it is kept out of every output.

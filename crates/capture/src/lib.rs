//! Packets to byte streams: containers, links, reassembly.

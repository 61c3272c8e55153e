//! The product against real tools and real data.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod bases;
mod booting;
mod corpus;
mod extensions;
mod fetching;
mod fixtures;
mod images;
mod labels;
mod locks;
mod looking;
mod on_base;
mod packages;
mod recipe_commands;
mod recipes;
mod registries;
mod repodata;
mod resolver;
mod second_reader;
mod signatures;
mod sites;
mod sources;
mod system;
mod walk;

//! What tests share: golden digests, which are the same natively, in node and in a browser, and what natively run
//! tests need of the machine.

pub mod golden;
#[cfg(not(target_arch = "wasm32"))]
pub mod server;
#[cfg(not(target_arch = "wasm32"))]
pub mod shared;
#[cfg(not(target_arch = "wasm32"))]
pub mod tools;

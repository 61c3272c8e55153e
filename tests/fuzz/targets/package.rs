//! Any bytes as a package: read to the end and planned. Errors are fine; panics, hangs and memory beyond what the
//! bytes justify are bugs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysext::rpm::Payload;
use sysext::{Arch, Plan, Recipe, Target};

/// Content that is read of one package: a bomb is no bug, but it is slow.
const ENOUGH: u64 = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut payload) = Payload::open(bytes) else { return };
    let package = payload.package().clone();
    let recipe = Recipe::new("fuzz", Target { release: "43".into(), arch: Arch::X86_64 });
    let _ = Plan::new(vec![package], &recipe);
    let mut read = 0;
    while let Ok(Some(member)) = payload.next_member() {
        read += member.size;
        if read > ENOUGH {
            break;
        }
    }
});

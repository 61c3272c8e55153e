//! Any bytes as metadata of a repository, an index, a base pack, a database of packages. Errors are fine; panics, hangs
//! and memory beyond what the bytes justify are bugs.
#![no_main]

use std::io::{Cursor, Read as _};

use libfuzzer_sys::fuzz_target;
use sysext::Base;
use sysext::resolve::index::{Index, PathTable, read_chunk};
use sysext::resolve::{Pool, Repo};
use sysext::rpm::database::Database;
use sysext::rpm::repodata::{
    Comps, Filelists, Metalink, Modules, Primary, RepoConfig, RepoPackage, Repomd, Variables, open,
};

/// Decompressed bytes that are looked at: a bomb is no bug, but it is slow.
const ENOUGH: u64 = 4 << 20;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(metadata) = open(bytes) {
        let mut text = Vec::new();
        let _ = metadata.take(ENOUGH).read_to_end(&mut text);
        let text = text.as_slice();
        let _ = Repomd::read(text);
        let _ = Comps::read(text);
        let _ = Metalink::read(text);
        if let Ok(text) = std::str::from_utf8(text) {
            let _ = Metalink::read_list(text);
            let _ = RepoConfig::read(text, &Variables::new(Some("43"), "x86_64"));
        }
        let _ = Modules::read(text).map(|modules| modules.filter());
        let mut lists = Filelists::new(text);
        while let Ok(Some(_)) = lists.next_package(|_, _, _| {}) {}
        let mut pool = Pool::new("x86_64");
        let repo = pool.add_repo(Repo { name: "fuzz".into(), priority: 99, base: false });
        for package in Primary::new(text).map_while(Result::ok) {
            pool.add(repo, &package);
        }
        pool.index();
    }
    if let Ok(index) = Index::read(bytes) {
        let mut pool = Pool::new("x86_64");
        let repo = pool.add_repo(Repo { name: "fuzz".into(), priority: 99, base: false });
        pool.add_index(repo, &index);
        pool.index();
        if let Ok(origins) = index.origins() {
            let _ = (0..index.len()).map(|at| origins.get(&index, at)).count();
        }
    }
    if let Ok(table) = PathTable::read(bytes, 0) {
        let _ = table.chunk("/usr/bin/sh");
    }
    let _ = read_chunk(bytes, 100, |_| true, |_, _| {});
    let _ = Base::read(bytes);
    if let Ok(mut database) = Database::open(Cursor::new(bytes)) {
        while let Ok(Some(header)) = database.next_header() {
            let _ = RepoPackage::from_database(&header);
        }
    }
});

//! Files as a cpio archive, "new ASCII", or stripped of what the header has.

use std::collections::BTreeMap;

use super::{NewFile, is_ghost};

/// The files as a cpio archive; content of hard links with the last of them.
pub(super) fn archive(files: &[&NewFile], stripped: bool) -> Vec<u8> {
    let mut last = BTreeMap::new();
    for (index, file) in files.iter().enumerate().filter(|(_, file)| file.inode > 0) {
        last.insert(file.inode, index);
    }
    let mut archive = Vec::new();
    for (index, file) in files.iter().enumerate() {
        if is_ghost(file) {
            continue;
        }
        let elsewhere = last.get(&file.inode).is_some_and(|last| *last != index);
        let content = if elsewhere { &[] } else { file.content.as_slice() };
        if stripped {
            archive.extend(format!("07070X{index:08x}").bytes());
            archive.resize(archive.len().next_multiple_of(4), 0);
            put_content(&mut archive, content);
        } else {
            let inode = if file.inode > 0 { file.inode } else { 1_000_000 + index as u32 };
            put_member(
                &mut archive,
                &format!(".{}", file.path),
                [inode, u32::from(file.mode), file.mtime],
                content,
            );
        }
    }
    put_member(&mut archive, "TRAILER!!!", [0; 3], &[]);
    archive
}

fn put_member(archive: &mut Vec<u8>, name: &str, [inode, mode, mtime]: [u32; 3], content: &[u8]) {
    let fields =
        [inode, mode, 0, 0, 1, mtime, content.len() as u32, 0, 1, 0, 0, name.len() as u32 + 1, 0];
    archive.extend_from_slice(b"070701");
    for field in fields {
        archive.extend(format!("{field:08x}").bytes());
    }
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    put_content(archive, content);
}

fn put_content(archive: &mut Vec<u8>, content: &[u8]) {
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

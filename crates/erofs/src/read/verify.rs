//! Whether all of an image decodes.

use std::io::{Read, Seek};

use super::Image;
use crate::error::Error;
use crate::tree::Kind;

/// What is wrong with an image, and in which file.
#[derive(Debug, thiserror::Error)]
#[error("{}{error}", .path.as_ref().map(|path| format!("/{}: ", String::from_utf8_lossy(path))).unwrap_or_default())]
pub struct Damage {
    /// Path of the file whose content does not decode, without a slash in front; none if it is the tree that is wrong.
    pub path: Option<Vec<u8>>,
    /// What is wrong.
    pub error: Error,
}

impl<R: Read + Seek> Image<R> {
    /// Decodes the content of all files. After each piece `progress` is told how many bytes of how many are decoded, and
    /// may end it with an error of its own. Gives the number of entries and the bytes of all content.
    ///
    /// # Errors
    /// The tree or a file breaks the format or needs a feature that this crate lacks; or that of `progress`.
    pub fn verify<E: From<Damage>>(
        &mut self,
        mut progress: impl FnMut(u64, u64) -> Result<(), E>,
    ) -> Result<(usize, u64), E> {
        let tree = self.tree().map_err(|error| Damage { path: None, error })?;
        let files: Vec<_> = tree
            .paths()
            .filter_map(|(path, id)| match &tree.node(id).kind {
                Kind::File(content) => Some((path, content)),
                _ => None,
            })
            .collect();
        let total = files.iter().map(|(_, content)| content.size()).fold(0, u64::saturating_add);
        let mut done = 0_u64;
        for (path, content) in files {
            let mut chunks = self.chunks(content);
            let damage = |error| Damage { path: Some(path.clone()), error };
            while let Some(chunk) = chunks.next_chunk().map_err(damage)? {
                done = done.saturating_add(chunk.len() as u64);
                progress(done, total)?;
            }
        }
        Ok((tree.len(), done))
    }
}

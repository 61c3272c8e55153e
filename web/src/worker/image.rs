//! The image in the making: a file of the browser's private file system, or memory where it has none.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DedicatedWorkerGlobalScope, File, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use super::source::describe;

/// Images of earlier visits bear this in their names.
const PREFIX: &str = "image-";

pub(crate) enum Image {
    Private {
        handle: FileSystemFileHandle,
        access: FileSystemSyncAccessHandle,
    },
    /// Pieces in the order of their places, in the browser's memory rather than ours.
    Memory(Vec<(u64, Uint8Array)>),
}

impl Image {
    /// An empty image.
    pub(crate) async fn new() -> Self {
        match private_file().await {
            Ok((handle, access)) => Self::Private { handle, access },
            Err(_) => Self::Memory(Vec::new()),
        }
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), String> {
        match self {
            Self::Private { access, .. } => {
                let options = FileSystemReadWriteOptions::new();
                options.set_at(at as f64);
                let written = access.write_with_u8_array_and_options(bytes, &options);
                let written = written.map_err(|error| describe(&error))?;
                if written as usize == bytes.len() {
                    return Ok(());
                }
                Err("the browser has no room left for the image".to_owned())
            }
            Self::Memory(pieces) => {
                let place = pieces.partition_point(|(other, _)| *other < at);
                pieces.insert(place, (at, Uint8Array::from(bytes)));
                Ok(())
            }
        }
    }

    pub(crate) fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; length];
        match self {
            Self::Private { access, .. } => {
                let options = FileSystemReadWriteOptions::new();
                options.set_at(at as f64);
                let read = access.read_with_u8_array_and_options(&mut bytes, &options);
                read.map_err(|error| describe(&error))?;
            }
            Self::Memory(pieces) => {
                let end = at + length as u64;
                for (start, piece) in pieces {
                    let piece_end = start + u64::from(piece.length());
                    let (from, to) = (at.max(*start), end.min(piece_end));
                    if from < to {
                        let part = piece.subarray((from - start) as u32, (to - start) as u32);
                        part.copy_to(&mut bytes[(from - at) as usize..(to - at) as usize]);
                    }
                }
            }
        }
        Ok(bytes)
    }

    /// The image as a file that the page can offer.
    pub(crate) async fn finish(self, name: &str) -> Result<File, String> {
        let made = match self {
            Self::Private { handle, access } => {
                // Not flushed: that waits for the disk, and only a copy that the person saves has to outlive this visit.
                access.close();
                let file =
                    JsFuture::from(handle.get_file()).await.map_err(|error| describe(&error))?;
                return file.dyn_into().map_err(|error| describe(&error));
            }
            Self::Memory(pieces) => {
                let parts: Array =
                    pieces.into_iter().map(|(_, piece)| JsValue::from(piece)).collect();
                Blob::new_with_u8_array_sequence(&parts)
                    .and_then(|blob| File::new_with_blob_sequence(&Array::of1(&blob), name))
            }
        };
        made.map_err(|error| describe(&error))
    }

    /// Gives up the image.
    pub(crate) fn discard(self) {
        if let Self::Private { access, .. } = self {
            let _ = access.truncate_with_u32(0);
            access.close();
        }
    }
}

/// A new file of the private file system; files of earlier visits are removed.
async fn private_file() -> Result<(FileSystemFileHandle, FileSystemSyncAccessHandle), JsValue> {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().dyn_into()?;
    let folder = JsFuture::from(scope.navigator().storage().get_directory()).await?;
    let folder: FileSystemDirectoryHandle = folder.dyn_into()?;
    remove_leftovers(&folder).await?;
    // A name of its own: a file that an ended worker wrote to stays locked for a while.
    let name = format!("{PREFIX}{:x}", (js_sys::Math::random() * 2_f64.powi(52)) as u64);
    let options = FileSystemGetFileOptions::new();
    options.set_create(true);
    let handle = JsFuture::from(folder.get_file_handle_with_options(&name, &options)).await?;
    let handle: FileSystemFileHandle = handle.dyn_into()?;
    let access = JsFuture::from(handle.create_sync_access_handle()).await?;
    Ok((handle, access.dyn_into()?))
}

async fn remove_leftovers(folder: &FileSystemDirectoryHandle) -> Result<(), JsValue> {
    let names = folder.keys();
    let mut leftovers = Vec::new();
    loop {
        let next = JsFuture::from(names.next()?).await?;
        let value = js_sys::Reflect::get(&next, &"value".into())?;
        let Some(name) = value.as_string() else { break };
        if name.starts_with(PREFIX) {
            leftovers.push(name);
        }
    }
    for name in leftovers {
        // One that is still locked goes the next time.
        let _ = JsFuture::from(folder.remove_entry(&name)).await;
    }
    Ok(())
}

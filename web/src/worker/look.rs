//! Looking into an image: what it holds, whether it is whole, one of its files.

use js_sys::{Array, Uint8Array};
use sysext::Inspection;
use sysext::erofs::{self, Damage, Image, Kind};
use web_sys::{File, FilePropertyBag};
use yew::Callback;

use super::random_access::RandomAccess;
use super::source::describe;
use crate::agent::Answer;
use crate::protocol::{Request, Response};

/// Bytes of content between two words on progress.
const TOLD_EVERY: u64 = 4 << 20;

/// Answers what is asked of an image.
pub(super) async fn respond(
    request: &Request,
    file: Option<&File>,
    answer: &Callback<Answer>,
) -> Answer {
    let image = open(file).await;
    match request {
        Request::Verify => {
            (Response::Verified(image.and_then(|mut image| verify(&mut image, answer))), None)
        }
        Request::Extract { entry } => match image.and_then(|mut image| extract(&mut image, *entry))
        {
            Ok(file) => (Response::Extracted(Ok(())), Some(file)),
            Err(error) => (Response::Extracted(Err(error)), None),
        },
        _ => {
            let looked = image.and_then(|mut image| Inspection::new(&mut image).map_err(text));
            (Response::Looked(looked.map(Box::new)), None)
        }
    }
}

async fn open(file: Option<&File>) -> Result<Image<RandomAccess>, String> {
    let file = file.ok_or("the page sent no file")?;
    Image::open(RandomAccess::open(file).await?).map_err(text)
}

/// Decodes all content; gives its bytes.
fn verify(image: &mut Image<RandomAccess>, answer: &Callback<Answer>) -> Result<u64, String> {
    let mut told = 0;
    let verdict = image.verify(|done, total| {
        if done >= told + TOLD_EVERY {
            told = done;
            answer.emit((Response::Decoded { done, total }, None));
        }
        Ok::<_, Damage>(())
    });
    verdict.map(|(_, content)| content).map_err(|damage| damage.to_string())
}

/// The file at a place among the paths.
fn extract(image: &mut Image<RandomAccess>, entry: usize) -> Result<File, String> {
    let tree = image.tree().map_err(text)?;
    let (path, id) = tree.paths().nth(entry).ok_or("there is no such entry")?;
    let Kind::File(content) = &tree.node(id).kind else {
        return Err("this is no file".to_owned());
    };
    let parts = Array::new();
    let mut chunks = image.chunks(content);
    while let Some(chunk) = chunks.next_chunk().map_err(text)? {
        parts.push(&Uint8Array::from(chunk.as_slice()));
    }
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    // A browser that has to guess the type adds an ending to the name.
    let options = FilePropertyBag::new();
    options.set_type("application/octet-stream");
    let name = String::from_utf8_lossy(name);
    File::new_with_u8_array_sequence_and_options(&parts, &name, &options)
        .map_err(|error| describe(&error))
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn text(error: erofs::Error) -> String {
    error.to_string()
}

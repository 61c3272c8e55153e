//! Files of this page's own server: what is whole, and parts of what is large.

use std::ops::Range;

use js_sys::{Array, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, ReadableStreamDefaultReader, Request, RequestInit, Response};

use super::source::describe;

#[wasm_bindgen]
extern "C" {
    /// That of the worker, or of the page.
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> Promise;
}

/// A file that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) url: &'a str,
    /// Bytes of the file.
    pub(super) size: u64,
}

/// Why a file did not come.
#[derive(Debug)]
pub(super) enum Failed {
    /// The server does not have it.
    NotFound,
    Other(String),
}

impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::NotFound => "this site does not have it".to_owned(),
            Failed::Other(why) => why,
        }
    }
}

impl Wanted<'_> {
    /// The whole file; `came` is told how many bytes came.
    pub(super) async fn file(self, name: &str, came: impl FnMut(u64)) -> Result<File, Failed> {
        let response = self.ask(None).await?;
        let parts = self.parts(&response, self.size, came).await?;
        File::new_with_u8_array_sequence(&parts, name)
            .map_err(|error| Failed::Other(describe(&error)))
    }

    /// Bytes of the file, fewer where it ends.
    pub(super) async fn range(
        self,
        range: Range<u64>,
        came: impl FnMut(u64),
    ) -> Result<Vec<u8>, String> {
        let length = range.end - range.start;
        let response = self.ask(Some(&range)).await?;
        // Not all servers know of parts.
        let is_part = response.status() == 206;
        let most = if is_part { length } else { self.size };
        let parts = self.parts(&response, most, came).await?;
        let mut bytes = Vec::new();
        for part in parts.iter() {
            bytes.extend(Uint8Array::new(&part).to_vec());
        }
        if !is_part {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            bytes = bytes[place(range.start)..place(range.end)].to_vec();
        }
        Ok(bytes)
    }

    async fn ask(self, range: Option<&Range<u64>>) -> Result<Response, Failed> {
        let wrong = |error: JsValue| Failed::Other(format!("{}: {}", self.url, describe(&error)));
        let init = RequestInit::new();
        let request = Request::new_with_str_and_init(self.url, &init).map_err(wrong)?;
        if let Some(Range { start, end }) = range {
            let bytes = format!("bytes={start}-{}", end.saturating_sub(1));
            request.headers().set("Range", &bytes).map_err(wrong)?;
        }
        let response: Response =
            JsFuture::from(fetch(&request)).await.map_err(wrong)?.dyn_into().map_err(wrong)?;
        match response.status() {
            200 | 206 => Ok(response),
            404 => Err(Failed::NotFound),
            status => {
                let text = JsFuture::from(response.text().map_err(wrong)?).await.map_err(wrong)?;
                let why = text.as_string().unwrap_or_default();
                Err(Failed::Other(if why.is_empty() || why.len() > 400 {
                    format!("{}: the server answers {status}", self.url)
                } else {
                    why
                }))
            }
        }
    }

    /// What a server sends, piece by piece, and no more than it should.
    async fn parts(
        self,
        response: &Response,
        most: u64,
        mut came: impl FnMut(u64),
    ) -> Result<Array, Failed> {
        let wrong = |error: JsValue| Failed::Other(format!("{}: {}", self.url, describe(&error)));
        let parts = Array::new();
        let Some(body) = response.body() else { return Ok(parts) };
        let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into().map_err(|_| {
            Failed::Other("the browser cannot read what comes piece by piece".to_owned())
        })?;
        let mut sum = 0;
        loop {
            let read = JsFuture::from(reader.read()).await.map_err(wrong)?;
            let part = Reflect::get(&read, &"value".into()).map_err(wrong)?;
            let Ok(part) = part.dyn_into::<Uint8Array>() else { return Ok(parts) };
            sum += u64::from(part.length());
            if sum > most {
                let _ = reader.cancel();
                return Err(Failed::Other(format!(
                    "{}: expected {most} bytes, more came",
                    self.url
                )));
            }
            came(sum);
            parts.push(&part);
        }
    }
}

//! Memory of the browser that is used again: new memory costs as much as a copy.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};

/// Sizes from here on are rounded up by this.
const STEP: usize = 16 << 20;

/// Buffers that nobody uses, of one or several who share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers(Rc<RefCell<Vec<Uint8Array>>>);

impl Buffers {
    /// The smallest buffer that has room for so many bytes, or a new one in the place of one that has not. None where the
    /// browser has no such memory.
    pub(super) fn take(&self, length: usize) -> Option<Uint8Array> {
        let mut buffers = self.0.borrow_mut();
        buffers.sort_by_key(Uint8Array::length);
        let at = buffers.partition_point(|buffer| (buffer.length() as usize) < length);
        if at < buffers.len() {
            return Some(buffers.remove(at));
        }
        buffers.pop();
        let with_room = match length {
            ..STEP => length.next_power_of_two(),
            _ => length.checked_next_multiple_of(STEP)?,
        };
        new(with_room)
    }

    /// Takes a buffer back.
    pub(super) fn give(&self, buffer: Uint8Array) {
        self.0.borrow_mut().push(buffer);
    }
}

/// A new buffer, if the browser has so much memory.
fn new(length: usize) -> Option<Uint8Array> {
    let constructor = Reflect::get(&js_sys::global(), &"Uint8Array".into()).ok()?;
    let arguments = Array::of1(&JsValue::from(length as f64));
    Reflect::construct::<fn() -> JsValue>(constructor.unchecked_ref(), &arguments)
        .ok()?
        .dyn_into()
        .ok()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn buffers_do_not_pile_up() {
        let buffers = Buffers::default();
        // Each is larger than the one before.
        for length in (1..200).map(|number| number * 1000) {
            let buffer = buffers.take(length).expect("memory");
            assert!(buffer.length() as usize >= length);
            buffers.give(buffer);
        }
        assert_eq!(buffers.0.borrow().len(), 1);
        // Two at once are two, of which the smaller that fits is taken.
        let (one, two) = (buffers.take(10).expect("memory"), buffers.take(10).expect("memory"));
        assert_eq!((one.length(), two.length()), (262_144, 16));
        buffers.give(one);
        buffers.give(two);
        assert_eq!(buffers.take(16).map(|buffer| buffer.length()), Some(16));
        assert!(buffers.take(usize::MAX).is_none());
    }
}

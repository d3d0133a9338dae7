// SPDX-License-Identifier: Apache-2.0
//! What a middleware decided, whatever its package calls it, and its C view.

use crate::c_types;
use crate::c_types::ActionTag;

pub enum Action {
    Continue,
    Reject(u16),
    Modify(Edits),
}

pub struct Edits {
    pub status: Option<u16>,
    pub set: Vec<Field>,
    pub add: Vec<Field>,
    pub remove: Vec<String>,
    pub body: Option<Vec<u8>>,
}

pub struct Field {
    pub name: String,
    pub value: Vec<u8>,
}

/// An action and its C view. The view points into the action (and its own vectors), whose heap blocks do not move with it.
pub struct ActionView {
    view: c_types::Action,
    _headers: Vec<c_types::Header>,
    _removed: Vec<c_types::Bytes>,
    _action: Action,
}

// SAFETY: the raw pointers in it point to what it owns.
unsafe impl Send for ActionView {}

impl ActionView {
    pub fn new(action: Action) -> ActionView {
        let mut view = c_types::Action {
            tag: ActionTag::Continue,
            has_status: false,
            status: 0,
            headers_set: c_types::Headers::EMPTY,
            headers_add: c_types::Headers::EMPTY,
            headers_remove: std::ptr::null(),
            headers_remove_len: 0,
            has_body: false,
            body: c_types::Bytes::EMPTY,
        };
        let mut headers = Vec::new();
        let mut removed = Vec::new();
        match &action {
            Action::Continue => {}
            Action::Reject(status) => {
                view.tag = ActionTag::Reject;
                view.has_status = true;
                view.status = *status;
            }
            Action::Modify(edits) => {
                view.tag = ActionTag::Modify;
                view.has_status = edits.status.is_some();
                view.status = edits.status.unwrap_or(0);
                headers.extend(edits.set.iter().chain(&edits.add).map(|field| c_types::Header {
                    name: c_types::Bytes::of(field.name.as_bytes()),
                    value: c_types::Bytes::of(&field.value),
                }));
                let (set, add) = headers.split_at(edits.set.len());
                view.headers_set = c_types::Headers::of(set);
                view.headers_add = c_types::Headers::of(add);
                removed.extend(edits.remove.iter().map(|name| c_types::Bytes::of(name.as_bytes())));
                view.headers_remove = removed.as_ptr();
                view.headers_remove_len = removed.len();
                view.has_body = edits.body.is_some();
                view.body = edits.body.as_deref().map_or(c_types::Bytes::EMPTY, c_types::Bytes::of);
            }
        }
        ActionView { view, _headers: headers, _removed: removed, _action: action }
    }

    pub fn view(&self) -> &c_types::Action {
        &self.view
    }
}

//! Finds pages whose objects refer to themselves: the extractor follows such references without end.

use std::collections::HashMap;

use pdf_extract::{Dictionary, Document, Object, ObjectId};

/// Pages lie at most this deep in the page tree.
const MOST_ANCESTORS: usize = 256;
const MOST_FORM_DEPTH: usize = 24;
/// Drawings of forms within forms that one page may ask for.
const MOST_FORMS: u64 = 5_000;

/// Neither the page's ancestors nor the forms that it may draw run in a circle or multiply.
pub fn page_is_safe(document: &Document, page: ObjectId) -> bool {
    let mut at = page;
    let mut ancestors = 0;
    let mut inherited = None;
    loop {
        let Ok(dictionary) = document.get_dictionary(at) else { return false };
        if inherited.is_none() {
            inherited = resources(document, dictionary);
        }
        match dictionary.get(b"Parent").and_then(Object::as_reference) {
            Ok(parent) => at = parent,
            Err(_) => break,
        }
        ancestors += 1;
        if ancestors > MOST_ANCESTORS {
            return false;
        }
    }
    let mut known = HashMap::new();
    inherited.is_none_or(|resources| forms(document, resources, 0, &mut known).is_some_and(|count| count <= MOST_FORMS))
}

fn resources<'a>(document: &'a Document, dictionary: &'a Dictionary) -> Option<&'a Dictionary> {
    let (_, object) = document.dereference(dictionary.get(b"Resources").ok()?).ok()?;
    object.as_dict().ok()
}

/// How many forms these resources can lead to; none for a circle.
fn forms(
    document: &Document,
    from: &Dictionary,
    depth: usize,
    known: &mut HashMap<ObjectId, Option<u64>>,
) -> Option<u64> {
    if depth > MOST_FORM_DEPTH {
        return None;
    }
    let Some(objects) = from.get(b"XObject").ok().and_then(|object| document.dereference(object).ok()) else {
        return Some(0);
    };
    let Ok(objects) = objects.1.as_dict() else { return Some(0) };
    let mut count = 0_u64;
    for (_, object) in objects.iter() {
        let Ok(id) = object.as_reference() else { continue };
        if let Some(found) = known.get(&id) {
            // None here means that it is being visited: a circle.
            count = count.saturating_add((*found)?);
            continue;
        }
        let Ok(stream) = document.get_object(id).and_then(Object::as_stream) else { continue };
        known.insert(id, None);
        // A form without resources of its own uses those of who draws it, itself included.
        let inside = match resources(document, &stream.dict) {
            Some(inner) => forms(document, inner, depth + 1, known)?,
            None if stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Form") => {
                u64::try_from(objects.len()).unwrap_or(u64::MAX)
            }
            None => 0,
        };
        known.insert(id, Some(inside.saturating_add(1)));
        count = count.saturating_add(inside).saturating_add(1);
    }
    Some(count)
}

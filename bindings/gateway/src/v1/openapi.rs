//! The OpenAPI 3.1 document, made of the very routes that are served and of the types that they answer.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::routes::{Parameter, Route};
use super::types::Problem;

/// Statuses that mean the same everywhere.
const PROBLEMS: [(u16, &str); 15] = [
    (400, "The request is not of the allowed form; nothing was sent."),
    (401, "The application's code or key is wrong."),
    (403, "The application was not given this."),
    (404, "There is no such account, operation, charge or order, or it is another application's."),
    (405, "The address knows other methods; see Allow."),
    (408, "The body did not arrive in time."),
    (409, "The key was used for another request, or this is not possible in the present state."),
    (413, "The body is too large."),
    (415, "The body is not JSON."),
    (422, "The provider refused it."),
    (429, "Too many requests; see Retry-After."),
    (500, "The gateway failed."),
    (502, "The provider could not be reached, or what became of the request is not known: see `stage`."),
    (503, "Too much is under way, or a database does not answer; see Retry-After."),
    (504, "The provider did not answer in time; nothing was moved."),
];

/// The document.
pub(super) fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>().to_value();
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(route, &mut generator);
    }
    let responses: Map<String, Value> = PROBLEMS
        .iter()
        .map(|(status, about)| (name(*status), answer(about, "application/problem+json", &problem)))
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bayar gateway",
            "version": bayar::VERSION,
            "summary": "Payments through Indonesian providers.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "security": [{"code": [], "key": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": responses,
            "securitySchemes": {
                "code": {"type": "apiKey", "in": "header", "name": "X-App-Code"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    });
    without_nul(&mut document);
    document
}

/// Says of every text that the character NUL does not stand in it: such requests are refused.
fn without_nul(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let kind = members.get("type");
            let is_text = kind.is_some_and(|kind| kind == "string" || kind == &json!(["string", "null"]));
            let is_any =
                !["pattern", "format", "enum", "const"].iter().any(|name| members.contains_key(*name));
            if is_text && is_any {
                members.insert("pattern".to_owned(), json!("^[^\\x00]*$"));
            }
            members.values_mut().for_each(without_nul);
        }
        Value::Array(list) => list.iter_mut().for_each(without_nul),
        _ => {}
    }
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let (status, about, make) = route.answer;
    let mut success = answer(about, "application/json", &make(generator).to_value());
    if route.id == "createCharge" {
        success["links"] = links();
    }
    let mut responses = Map::new();
    responses.insert(status.to_string(), success.clone());
    if route.id == "callOperation" {
        responses.insert("201".to_owned(), success);
    }
    for (status, _) in PROBLEMS {
        let reference = format!("#/components/responses/{}", name(status));
        responses.insert(status.to_string(), json!({"$ref": reference}));
    }
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "responses": responses,
    });
    if !route.parameters.is_empty() {
        operation["parameters"] = route.parameters.iter().map(parameter).collect();
    }
    if let Some(make) = route.body {
        let schema = make(generator).to_value();
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

/// What can be done with a charge that was just made.
fn links() -> Value {
    let with_id =
        |operation: &str| json!({"operationId": operation, "parameters": {"id": "$response.body#/id"}});
    json!({
        "get": with_id("getCharge"),
        "cancel": with_id("cancelCharge"),
        "refund": with_id("refundCharge"),
    })
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.about,
        "required": parameter.needed,
        "schema": parameter.schema,
    })
}

fn answer(about: &str, kind: &str, schema: &Value) -> Value {
    json!({"description": about, "content": {kind: {"schema": schema}}})
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_stands_in_it_once_and_every_reference_leads_somewhere() {
        let routes = super::super::routes::all();
        let document = document(&routes);
        let ids: BTreeSet<&str> = routes.iter().map(|route| route.id).collect();
        assert_eq!(ids.len(), routes.len());
        for route in &routes {
            let found = &document["paths"][route.path][route.method];
            assert_eq!(found["operationId"], route.id);
            let braces: Vec<&str> =
                route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            let named: Vec<&str> =
                route.parameters.iter().filter(|one| one.place == "path").map(|one| one.name).collect();
            assert_eq!(braces, named, "{}", route.path);
        }
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let path = reference.split('"').next().expect("it ends");
            assert!(document.pointer(path).is_some(), "{path}");
        }
        assert!(!text.contains("$defs"), "schemas are where OpenAPI has them");
    }
}

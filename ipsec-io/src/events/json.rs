//! Records as JSON, one object a line.

use serde_json::{Map, Value as Json};

use super::record::Description;
use super::{Record, Value};

impl Record {
    /// One JSON object without line ends: `time` in seconds since 1970, `level`, `code`, `entity`, `connection`,
    /// `local`, `peer`, `spi`, the fields of its code under `fields`, and `message`. What is not known is absent.
    #[must_use]
    pub fn json(&self) -> String {
        let Description { code, level, entity, connection, path, spi, fields, message } = self.describe();
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Json>| {
            if let Some(value) = value {
                object.insert(key.into(), value);
            }
        };
        put("time", Some(self.at.utc.since_epoch().as_secs_f64().into()));
        put("level", Some(level.name().into()));
        put("code", Some(code.into()));
        put("entity", Some(entity.name().into()));
        put("connection", connection.map(Json::from));
        put("local", path.map(|path| path.local.to_string().into()));
        put("peer", path.map(|path| path.remote.to_string().into()));
        put("spi", spi.map(Json::from));
        let fields: Map<String, Json> =
            fields.into_iter().map(|(key, value)| (key.to_owned(), json_of(value))).collect();
        put("fields", (!fields.is_empty()).then_some(Json::Object(fields)));
        put("message", Some(message.into()));
        Json::Object(object).to_string()
    }
}

fn json_of(value: Value) -> Json {
    match value {
        Value::Number(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Truth(truth) => truth.into(),
    }
}

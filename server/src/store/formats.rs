//! How a plant's pages write times, and in which language.

use super::{Tx, params};
use crate::Error;
use carboy_protocol::PlantId;

impl Tx<'_> {
    pub(crate) fn set_plant_formats(
        &self,
        plant: PlantId,
        time_zone: &str,
        language: &str,
    ) -> Result<(), Error> {
        let sql = "UPDATE plants SET time_zone = ?1, language = ?2 WHERE plant = ?3";
        self.execute(sql, params![time_zone, language, plant])?;
        Ok(())
    }
}

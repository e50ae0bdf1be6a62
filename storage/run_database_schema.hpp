#pragma once

// The SQL that makes an empty database a run database: tables and views of kSchemaVersion.
// docs/database_schema.md explains them to those who query them.

namespace lockstep::storage {

extern const char* const
    kSchemaSql;  // several statements; application_id and user_version included

}  // namespace lockstep::storage

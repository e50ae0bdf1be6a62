// Tables of [train] that have a name (train_tables.hpp).

#include <fmt/format.h>

#include "pipeline/experiment/train_tables.hpp"

namespace lockstep::pipeline {
namespace {

// Of `optimizer = "adam"` a table was made where it was inherited: its name stands where it does.
bool is_name_alone(const Value& value, const Value& name) {
    return place_of(value.origin) == place_of(name.origin);
}

}  // namespace

NamedTable read_named_table(const Table& train, const NamedTableKind& kind, ReadContext context) {
    static const Table kEmpty;
    const Value* value = train.find(kind.key);
    if (!value || value->as<Unusable>()) return {kEmpty, &kind.usual};
    const Table* table = value->as<Table>();
    if (!table) {
        context.problems.add(value->origin, fmt::format("{} must be a name or a table, {}, not {}",
                                                        kind.key, kind.example, described(*value)));
        return {kEmpty, &kind.usual};
    }
    const Value* name = table->find("name");
    if (!name) return {*table, &kind.usual};
    const std::string_view called = is_name_alone(*value, *name) ? kind.key : "name";
    return {*table, named_by(*table, {"name", called}, fmt::format("train.{}.", kind.key),
                             kind.known, context)};
}

}  // namespace lockstep::pipeline

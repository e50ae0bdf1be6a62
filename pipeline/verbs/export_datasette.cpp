#include "pipeline/verbs/export_datasette.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "reports/words/terminal_text.hpp"
#include "storage/database/schema_text.hpp"
#include "storage/files/atomic_file.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// Datasette 0 reads the units as Pint writes them; Datasette 1 shows descriptions alone.
Json table_json(const storage::RunDatabase& database, const storage::TableText& table) {
    Json json{{"description", table.text}};
    const storage::Table columns =
        database.run_query(fmt::format("SELECT name FROM pragma_table_info('{}')", table.table));
    for (const std::string& column : texts_of(columns, "name")) {
        const storage::ColumnText* text = storage::column_text(table.table, column);
        if (text == nullptr) continue;  // of a newer version
        const std::string unit = text->unit;
        json["columns"][column] =
            unit.empty() ? text->text : fmt::format("{} [{}]", text->text, unit);
        if (!unit.empty()) json["units"][column] = unit;
    }
    return json;
}

Json query_json(const char* title, const char* sql) { return {{"title", title}, {"sql", sql}}; }

Json queries_json() {
    return {
        {"designs",
         query_json(
             "Designs: their seeds, and the mean of their test accuracies",
             "select design_name, count(*) as runs, avg(test_accuracy) as mean_test_accuracy, "
             "min(test_accuracy) as lowest, max(test_accuracy) as highest from v_runs "
             "where state = 'finished' group by design_digest, data_digest "
             "order by mean_test_accuracy desc")},
        {"curves", query_json("Learning curves of the runs of a name",
                              "select run, epoch, loss, accuracy, val_loss, val_accuracy from "
                              "v_epochs where name = :name order by run, epoch")},
        {"setting", query_json("Runs by the values of a setting",
                               "select s.value, r.name, r.test_accuracy, r.best_val_accuracy from "
                               "v_settings s join v_runs r using (run) where s.key = :key "
                               "order by s.value, r.test_accuracy desc")}};
}

}  // namespace

int export_datasette(const ExportDatasetteOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    Json tables;
    for (const storage::TableText& table : storage::table_texts())
        tables[table.table] = table_json(database, table);
    const Json json{
        {"title", "Lockstep runs"},
        {"description",
         "Every epoch of every run of a store. Begin with the view v_runs. Accuracies are "
         "fractions, "
         "times UTC; a NaN is stored as NULL."},
        {"databases", {{"lockstep", {{"tables", tables}, {"queries", queries_json()}}}}}};
    storage::replace_file(options.out, json.dump(2) + '\n');
    print(reports::terminal_text(options.out.string()) + '\n');
    return kExitSuccess;
}

}  // namespace lockstep::pipeline

#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/export_datasette.hpp"
#include "pipeline/verbs/export_mlflow.hpp"
#include "pipeline/verbs/export_tables.hpp"
#include "pipeline/verbs/export_tensorboard.hpp"
#include "pipeline/verbs/export_weights.hpp"
#include "pipeline/verbs/import_model.hpp"

namespace lockstep::pipeline {
namespace {

void declare_weights(CLI::App& verb, ExportWeightsOptions& weights) {
    add_saved_network(verb, weights.network);
    add_choice<WeightsFormat>(verb, "--format", weights.format,
                              {{"keras-h5", WeightsFormat::keras_h5},
                               {"keras-weights", WeightsFormat::keras_weights},
                               {"keras", WeightsFormat::keras},
                               {"onnx", WeightsFormat::onnx}},
                              "which file");
    verb.get_option("--format")->required();
    verb.add_option("--out", weights.out, "the file; the run's name in this folder if none")
        ->type_name("FILE");
}

void declare_tensorboard(CLI::App& verb, ExportTensorboardOptions& tensorboard) {
    add_positional(verb, "RUN", tensorboard.runs, "ids, beginnings of ids, or names; all if none");
    verb.add_option("--experiment", tensorboard.experiment, "all runs of this experiment")
        ->type_name("NAME");
    verb.add_option("--out", tensorboard.out, "the folder to write into")
        ->required()
        ->type_name("DIR");
    add_store(verb, tensorboard.store);
}

void declare_datasette(CLI::App& verb, ExportDatasetteOptions& datasette) {
    verb.add_option("--out", datasette.out, "the file to write: metadata.json")
        ->required()
        ->type_name("FILE");
    add_store(verb, datasette.store);
}

void declare_mlflow(CLI::App& verb, ExportMlflowOptions& mlflow) {
    verb.add_option("--experiment", mlflow.experiment, "only this experiment's runs")
        ->type_name("NAME");
    verb.add_option("--out", mlflow.out, "the folder to write into: mlruns")
        ->required()
        ->type_name("DIR");
    add_store(verb, mlflow.store);
}

void declare_tables(CLI::App& verb, ExportTablesOptions& tables,
                    const std::vector<Choice<ExportFormat>>& formats) {
    verb.add_option("--experiment", tables.experiment, "only this experiment's runs")
        ->type_name("NAME");
    add_choice<ExportFormat>(verb, "--format", tables.format, formats, "how to print");
    verb.add_flag("--for-spreadsheets", tables.is_for_spreadsheets,
                  "a ' in front of text that spreadsheets would take for a formula");
    add_store(verb, tables.store);
}

void declare_runs(CLI::App& verb, ExportTablesOptions& tables) {
    tables.kind = ExportedRows::runs;
    declare_tables(verb, tables, {{"csv", ExportFormat::csv}, {"json", ExportFormat::json}});
}

void declare_epochs(CLI::App& verb, ExportTablesOptions& tables) {
    tables.kind = ExportedRows::epochs;
    add_positional(verb, "RUN", tables.runs, "ids, beginnings of ids, or names; all if none");
    declare_tables(
        verb, tables,
        {{"csv", ExportFormat::csv}, {"json", ExportFormat::json}, {"keras", ExportFormat::keras}});
}

void declare_import(CLI::App& verb, ImportOptions& import) {
    verb.add_option("MODEL", import.model, "a model of Keras 2 or 3: .keras, .h5, or .json")
        ->required();
    verb.add_option("--out", import.out, "the experiment file; standard output unless given")
        ->type_name("FILE");
    verb.add_option("--weights", import.weights,
                    "the file of its weights; MODEL-weights.h5 beside the experiment file unless "
                    "given")
        ->type_name("FILE");
}

}  // namespace

// What is exported is a verb below `export`; `weights` may be left out (command_line.cpp).
void add_export_verbs(VerbList& verbs) {
    VerbList exports =
        verbs.add_group({"export", "write results as other programs read them",
                         "  lockstep export weights vgg-bn --format onnx\n"
                         "  lockstep export vgg-bn --format keras          the same verb\n"
                         "  lockstep export runs --format json > runs.json\n"
                         "  lockstep export epochs --format csv > epochs.csv\n"
                         "  lockstep export tensorboard --out logs\n"
                         "  lockstep export mlflow --out mlruns\n"
                         "  lockstep export datasette --out metadata.json\n"});
    exports.add<ExportWeightsOptions>(
        {"weights", "a saved network for Keras or ONNX",
         "  lockstep export weights vgg-bn --format onnx\n"
         "  lockstep export weights vgg-bn --format keras --out model.keras\n"
         "  lockstep export weights lockstep-store/runs/vgg-bn-1f3a5c7e/best.h5 --format keras-h5\n"
         "ONNX files scale the pixels themselves; for Keras files the message says how to.\n"},
        declare_weights, export_weights);
    exports.add<ExportTablesOptions>(
        {"runs", "a row a run: every column of v_runs",
         "  lockstep export runs --format csv > runs.csv\n"
         "  lockstep export runs --experiment tutorials --format json\n"},
        declare_runs, export_tables);
    exports.add<ExportTablesOptions>(
        {"epochs", "a row an epoch: every column of v_epochs",
         "  lockstep export epochs --format csv > epochs.csv\n"
         "  lockstep export epochs --experiment tutorials --format json\n"
         "  lockstep export epochs vgg-bn --format keras > training.log   as Keras' CSVLogger\n"},
        declare_epochs, export_tables);
    exports.add<ExportTensorboardOptions>(
        {"tensorboard", "curves, test figures and settings for TensorBoard",
         "  lockstep export tensorboard --out logs; tensorboard --logdir logs\n"
         "  lockstep export tensorboard vgg-bn conv32-64-64 --out logs\n"},
        declare_tensorboard, export_tensorboard);
    exports.add<ExportMlflowOptions>(
        {"mlflow", "runs, settings and curves as a file store of MLflow's",
         "  lockstep export mlflow --out mlruns\n"
         "  lockstep export mlflow --experiment tutorials --out mlruns\n"
         "Then: mlflow migrate-filestore (MLflow 3.10 or later), or mlflow ui.\n"},
        declare_mlflow, export_mlflow);
    exports.add<ExportDatasetteOptions>(
        {"datasette", "what the database's tables, views and columns mean, for Datasette",
         "  lockstep export datasette --out metadata.json\n"
         "  datasette lockstep-store/lockstep.db --metadata metadata.json\n"},
        declare_datasette, export_datasette);
    verbs.add<ImportOptions>(
        {"import", "make an experiment file of a Keras model, and a file of its weights",
         "  lockstep import model.keras > model.toml\n"
         "  lockstep import model.h5 --out models/model.toml\n"
         "What cannot be expressed is named, layer by layer, and the exit code is 65.\n"},
        declare_import, import_model);
}

}  // namespace lockstep::pipeline

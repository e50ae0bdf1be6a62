#pragma once

// From argv to what is to be done, as plain checked values.

#include <string>
#include <variant>

#include "pipeline/launcher.hpp"
#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `--help`, `--version`: a text for standard output.
struct TextRequest {
    std::string text;
};

using Command =
    std::variant<TextRequest, RunOptions, ValidateOptions, PlanOptions, SummaryOptions, LsOptions,
                 ShowOptions, CompareOptions, DiffOptions, TailOptions, QueryOptions, EvaluateOptions, PredictOptions, ExportWeightsOptions, ExportTablesOptions, ExportTensorboardOptions,
                 ReportOptions, BenchAllreduceOptions>;

// Throws UsageError for what it does not know, with a suggestion where one is near.
Command parse_command_line(ProcessArguments arguments);

}  // namespace lockstep::pipeline

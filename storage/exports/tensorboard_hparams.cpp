#include "storage/exports/tensorboard_hparams.hpp"

#include <string_view>

#include "storage/files/protobuf.hpp"

namespace lockstep::storage {
namespace {

// Fields of plugin_data.proto; version 0 of it is told by the absence of the field.
constexpr int kDataExperiment = 2;
constexpr int kDataSessionStart = 3;
constexpr int kDataSessionEnd = 4;
constexpr int kStartHparams = 1;
constexpr int kStartGroupName = 4;
constexpr int kStartTime = 5;
constexpr int kEndStatus = 1;
constexpr int kEndTime = 2;
// Of api.proto.
constexpr int kExperimentTime = 3;
constexpr int kExperimentHparams = 4;
constexpr int kExperimentMetrics = 5;
constexpr int kHparamName = 1;
constexpr int kHparamDescription = 3;
constexpr int kHparamType = 4;
constexpr int kHparamValues = 5;
constexpr int kHparamDiffers = 7;
constexpr int kTypeString = 1;
constexpr int kTypeNumber = 3;
constexpr int kMetricName = 1;
constexpr int kMetricDisplayName = 3;
constexpr int kMetricDataset = 5;
constexpr int kNameGroup = 1;
constexpr int kNameTag = 2;
// Of struct.proto, and of any map.
constexpr int kValueNumber = 2;
constexpr int kValueText = 3;
constexpr int kListValues = 1;
constexpr int kMapKey = 1;
constexpr int kMapValue = 2;

ProtobufMessage value_message(const HparamValue& value) {
    ProtobufMessage message;
    if (const auto* number = std::get_if<double>(&value)) {
        message.add_double(kValueNumber, *number);
    } else {
        message.add_bytes(kValueText, std::get<std::string>(value));
    }
    return message;
}

ProtobufMessage hparam_message(const Hparam& hparam) {
    const bool is_number =
        !hparam.values.empty() && std::holds_alternative<double>(hparam.values.front());
    ProtobufMessage values;
    for (const HparamValue& value : hparam.values)
        values.add_message(kListValues, value_message(value));
    ProtobufMessage message;
    message.add_bytes(kHparamName, hparam.name);
    message.add_bytes(kHparamDescription, hparam.description);
    message.add_integer(kHparamType, is_number ? kTypeNumber : kTypeString);
    message.add_message(kHparamValues, values);
    if (hparam.values.size() > 1) message.add_integer(kHparamDiffers, 1);
    return message;
}

ProtobufMessage metric_message(const HparamsMetric& metric) {
    ProtobufMessage name;
    name.add_bytes(kNameGroup, metric.group);
    name.add_bytes(kNameTag, metric.tag);
    ProtobufMessage message;
    message.add_message(kMetricName, name);
    message.add_bytes(kMetricDisplayName, metric.display_name);
    message.add_integer(kMetricDataset, static_cast<int>(metric.dataset));
    return message;
}

PluginEvent event_of(std::string_view tag, double unix_time, int field,
                     const ProtobufMessage& message) {
    ProtobufMessage data;
    data.add_message(field, message);
    return {"_hparams_/" + std::string(tag), unix_time, "hparams", data.bytes()};
}

}  // namespace

PluginEvent hparams_experiment(double unix_time, std::span<const Hparam> hparams,
                               std::span<const HparamsMetric> metrics) {
    ProtobufMessage experiment;
    experiment.add_double(kExperimentTime, unix_time);
    for (const Hparam& hparam : hparams)
        experiment.add_message(kExperimentHparams, hparam_message(hparam));
    for (const HparamsMetric& metric : metrics)
        experiment.add_message(kExperimentMetrics, metric_message(metric));
    return event_of("experiment", unix_time, kDataExperiment, experiment);
}

std::vector<PluginEvent> hparams_session(const HparamsSession& session) {
    ProtobufMessage start;
    for (const auto& [name, value] : session.hparams) {
        ProtobufMessage entry;
        entry.add_bytes(kMapKey, name);
        entry.add_message(kMapValue, value_message(value));
        start.add_message(kStartHparams, entry);
    }
    start.add_bytes(kStartGroupName, session.group);
    start.add_double(kStartTime, session.start_unix_time);
    ProtobufMessage end;
    end.add_integer(kEndStatus, static_cast<int>(session.status));
    if (session.end_unix_time) end.add_double(kEndTime, *session.end_unix_time);
    return {event_of("session_start_info", session.start_unix_time, kDataSessionStart, start),
            event_of("session_end_info", session.end_unix_time.value_or(session.start_unix_time),
                     kDataSessionEnd, end)};
}

}  // namespace lockstep::storage

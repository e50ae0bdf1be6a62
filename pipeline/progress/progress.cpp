#include "pipeline/progress/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "reports/words/terminal_text.hpp"

namespace lockstep::pipeline {
namespace {

constexpr int kBarWidth = 30;
constexpr std::chrono::milliseconds kBarInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr std::string_view kLinePrefix = "@lockstep ";

double step_seconds(const ProgressEvent& event) {
    return event.steps_done > 0 ? event.seconds / static_cast<double>(event.steps_done) : 0.0;
}

std::string bar(const ProgressEvent& event) {
    if (event.steps_done >= event.steps) return std::string(kBarWidth, '=');
    const auto filled = static_cast<int>(kBarWidth * event.steps_done / event.steps);
    if (filled == 0) return std::string(kBarWidth, '.');
    return std::string(static_cast<std::size_t>(filled - 1), '=') + '>' +
           std::string(static_cast<std::size_t>(kBarWidth - filled), '.');
}

std::string format_eta(double seconds) {
    const auto whole = static_cast<long long>(std::max(0.0, seconds));
    if (whole >= 3600) {
        return fmt::format("{}:{:02}:{:02}", whole / 3600, whole % 3600 / 60, whole % 60);
    }
    if (whole >= 60) return fmt::format("{}:{:02}", whole / 60, whole % 60);
    return fmt::format("{}s", whole);
}

// One write for a line: lines of several ranks must not mix.
void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // nobody can be told that standard error is gone
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

// JSON has no NaN: not finite numbers travel as text.
nlohmann::json number(double value) {
    if (std::isfinite(value)) return value;
    return fmt::format("{}", value);
}

double number_of(const nlohmann::json& value) {
    if (value.is_number()) return value.get<double>();
    return std::strtod(value.get<std::string>().c_str(), nullptr);
}

std::optional<double> optional_number(const nlohmann::json& object, const char* key) {
    if (!object.contains(key)) return std::nullopt;
    return number_of(object.at(key));
}

ProgressEvent event_of(const nlohmann::json& object) {
    return {.kind = static_cast<ProgressEvent::Kind>(object.at("kind").get<int>()),
            .run = object.at("run"),
            .is_side_by_side = object.at("side_by_side"),
            .text = object.at("text"),
            .epoch = object.at("epoch"),
            .epochs = object.at("epochs"),
            .steps_done = object.at("steps_done"),
            .steps = object.at("steps"),
            .seconds = number_of(object.at("seconds")),
            .loss = number_of(object.at("loss")),
            .accuracy = number_of(object.at("accuracy")),
            .val_loss = optional_number(object, "val_loss"),
            .val_accuracy = optional_number(object, "val_accuracy")};
}

ProgressMode resolve(ProgressMode mode, const TerminalTraits& terminal) {
    if (mode != ProgressMode::automatic) return mode;
    return terminal.is_terminal && terminal.columns > 0 ? ProgressMode::bar : ProgressMode::plain;
}

}  // namespace

std::string format_metric(double value) {
    if (std::isnan(value)) return "nan";  // without its sign
    if (!std::isfinite(value)) return fmt::format("{}", value);
    return std::abs(value) > 1e-3 ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value);
}

std::string format_step_time(double seconds_per_step) {
    if (seconds_per_step >= 1.0 || seconds_per_step <= 0.0) {
        return fmt::format("{:.0f}s/step", seconds_per_step);
    }
    if (seconds_per_step >= 1e-3) return fmt::format("{:.0f}ms/step", seconds_per_step * 1e3);
    return fmt::format("{:.0f}us/step", seconds_per_step * 1e6);
}

std::string format_metrics(const ProgressEvent& event) {
    std::string text = fmt::format("loss: {} - accuracy: {}", format_metric(event.loss),
                                   format_metric(event.accuracy));
    if (event.val_loss) text += " - val_loss: " + format_metric(*event.val_loss);
    if (event.val_accuracy) text += " - val_accuracy: " + format_metric(*event.val_accuracy);
    return text;
}

std::string format_plain_line(const ProgressEvent& event) {
    return fmt::format("{}/{} - {:.0f}s - {} - {}", event.steps_done, event.steps, event.seconds,
                       format_step_time(step_seconds(event)), format_metrics(event));
}

std::string format_bar_line(const ProgressEvent& event) {
    const auto steps = fmt::format("{}", event.steps);
    const bool is_whole = event.steps_done >= event.steps;
    const double rest = static_cast<double>(event.steps - event.steps_done) * step_seconds(event);
    const std::string time =
        is_whole ? fmt::format("{:.0f}s {}", event.seconds, format_step_time(step_seconds(event)))
                 : "ETA: " + format_eta(rest);
    return fmt::format("{:>{}}/{} [{}] - {} - {}", event.steps_done, steps.size(), steps,
                       bar(event), time, format_metrics(event));
}

std::string encode_progress(const ProgressEvent& event) {
    nlohmann::json object = {{"kind", static_cast<int>(event.kind)},
                             {"run", event.run},
                             {"side_by_side", event.is_side_by_side},
                             {"text", event.text},
                             {"epoch", event.epoch},
                             {"epochs", event.epochs},
                             {"steps_done", event.steps_done},
                             {"steps", event.steps},
                             {"seconds", number(event.seconds)},
                             {"loss", number(event.loss)},
                             {"accuracy", number(event.accuracy)}};
    if (event.val_loss) object["val_loss"] = number(*event.val_loss);
    if (event.val_accuracy) object["val_accuracy"] = number(*event.val_accuracy);
    using Json = nlohmann::json;
    return std::string(kLinePrefix) + object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<ProgressEvent> decode_progress(std::string_view line) {
    if (!line.starts_with(kLinePrefix)) return std::nullopt;
    line.remove_prefix(kLinePrefix.size());
    const auto object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_discarded()) return std::nullopt;
    try {
        return event_of(object);
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

void ProgressSink::message(std::string text) {
    show({.kind = ProgressEvent::Kind::message, .text = std::move(text)});
}

void ProgressSink::error(const std::string& text) {
    message(fmt::format("{}{}", kErrorPrefix, text));
}

TerminalTraits terminal_traits(int descriptor) {
    TerminalTraits traits;
    traits.is_terminal = ::isatty(descriptor) == 1;
    winsize size{};
    if (traits.is_terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0) {
        traits.columns = size.ws_col;
    }
    return traits;
}

bool uses_color(ColorMode mode, const TerminalTraits& terminal) {
    if (mode != ColorMode::automatic) return mode == ColorMode::always;
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    const bool is_refused = no_color != nullptr && *no_color != '\0';
    const bool is_dumb = term == nullptr || std::string_view(term) == "dumb";
    return terminal.is_terminal && !is_refused && !is_dumb;
}

ProgressDisplay::ProgressDisplay(ProgressMode mode, ColorMode color)
    : mode_(resolve(mode, terminal_traits(STDERR_FILENO))),
      is_colored_(uses_color(color, terminal_traits(STDERR_FILENO))) {}

ProgressDisplay::~ProgressDisplay() { finish_line(); }

void ProgressDisplay::finish_line() {
    if (std::exchange(is_line_open_, false)) write_all("\n");
}

void ProgressDisplay::write_line(const std::string& line) {
    finish_line();
    write_all(line + "\n");
}

void ProgressDisplay::show(const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::message) return show_message(event);
    if (mode_ == ProgressMode::none || mode_ == ProgressMode::quiet) return;
    // Several bars cannot share a line.
    if (mode_ == ProgressMode::bar && !event.is_side_by_side) return show_bar(event);
    show_plain(event);
}

void ProgressDisplay::show_message(const ProgressEvent& event) {
    const bool is_error = event.text.starts_with(kErrorPrefix);
    if (mode_ == ProgressMode::quiet && !is_error) return;
    const std::string text = reports::terminal_text(event.text);
    write_line(is_colored_ ? "\x1b[1m" + text + "\x1b[0m" : text);
}

void ProgressDisplay::show_bar(const ProgressEvent& event) {
    using Kind = ProgressEvent::Kind;
    if (event.kind == Kind::epoch_begin) {
        last_drawn_ = {};
        return write_line(fmt::format("Epoch {}/{}", event.epoch, event.epochs));
    }
    const auto now = Clock::now();
    if (event.kind == Kind::step && now - last_drawn_ < kBarInterval) return;
    last_drawn_ = now;
    std::string line = format_bar_line(event);
    // A line longer than the terminal would scroll with every redraw; the last one may be whole.
    const int columns = terminal_traits(STDERR_FILENO).columns;
    const bool is_last = event.kind == Kind::epoch_end;
    if (columns > 0 && !is_last) {
        line.resize(std::min(line.size(), static_cast<std::size_t>(columns - 1)));
    }
    write_all("\r" + line + "\x1b[K" + (is_last ? "\n" : ""));
    is_line_open_ = !is_last;
}

void ProgressDisplay::show_plain(const ProgressEvent& event) {
    using Kind = ProgressEvent::Kind;
    const std::string epoch = fmt::format("Epoch {}/{}", event.epoch, event.epochs);
    if (event.kind == Kind::epoch_begin) {
        if (event.is_side_by_side) return;
        last_drawn_ = Clock::now();
        return write_line(epoch);
    }
    const auto now = Clock::now();
    if (event.kind == Kind::step && now - last_drawn_ < kPlainInterval) return;
    last_drawn_ = now;
    const std::string who =
        event.is_side_by_side ? reports::terminal_text(event.run) + " " + epoch + " - " : "";
    write_line(who + format_plain_line(event));
}

void ProgressLineWriter::show(const ProgressEvent& event) {
    write_all(encode_progress(event) + "\n");
}

}  // namespace lockstep::pipeline

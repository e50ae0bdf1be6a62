#pragma once

// What a user sees while training goes on, in Keras' words: `Epoch 3/12`, a bar with steps, time,
// loss and accuracy, then one line with the validation figures.
//
// Events travel one way: the recorder on a run's rank 0 makes them; a ProgressDisplay draws them.
// Ranks started by `lockstep run` write them as lines instead (ProgressLineWriter), and the
// process that started them draws: a rank cannot tell whether its output is a terminal.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::pipeline {

enum class ProgressMode {
    automatic,  // a bar where stderr is a terminal, plain lines elsewhere
    bar,
    plain,
    none,      // messages alone
    quiet,     // errors alone
    protocol,  // lines from ranks to the process that started them; no user asks for it
};

enum class ColorMode { automatic, always, never };

struct ProgressEvent {
    enum class Kind {
        message,      // `text`, to be shown as it is
        epoch_begin,  // epoch, epochs
        step,         // one of the steps of an epoch; few of them are sent
        epoch_end,    // validation figures too, where there are some
    };
    Kind kind = Kind::message;
    std::string run{};             // the run's name
    bool is_side_by_side = false;  // other runs train at the same time
    std::string text{};
    int epoch = 0;  // from 1
    int epochs = 0;
    std::int64_t steps_done = 0;  // of this epoch
    std::int64_t steps = 0;       // of every epoch
    double seconds = 0.0;         // since the epoch began; at its end the training alone
    double loss = 0.0;
    double accuracy = 0.0;
    std::optional<double> val_loss{};
    std::optional<double> val_accuracy{};

    bool operator==(const ProgressEvent&) const = default;
};

// ---- Keras' formats --------------------------------------------------------------------------

std::string format_metric(double value);                 // 0.7515, 5.0000e-04, nan
std::string format_step_time(double seconds_per_step);   // 1s/step, 7ms/step, 850us/step
std::string format_metrics(const ProgressEvent& event);  // "loss: 0.7515 - accuracy: 0.7407 - ..."
// "1563/1563 - 10s - 7ms/step - loss: ..."
std::string format_plain_line(const ProgressEvent& event);
// "1563/1563 [====...] - 10s 7ms/step - loss: ...", with an ETA while the epoch goes on
std::string format_bar_line(const ProgressEvent& event);

// ---- the lines between ranks and their supervisor -----------------------------------------------

// One line without its newline, in UTF-8. Doubles come back to the last bit.
std::string encode_progress(const ProgressEvent& event);
// Nothing, if the line is not one of encode_progress().
std::optional<ProgressEvent> decode_progress(std::string_view line);

// ---- sinks -----------------------------------------------------------------------------------

class ProgressSink {
public:
    virtual ~ProgressSink() = default;
    virtual void show(const ProgressEvent& event) = 0;
    void message(std::string text);       // a line of its own
    void error(const std::string& text);  // the same behind kErrorPrefix

    // Errors and warnings begin so; they are shown in every mode.
    static constexpr std::string_view kErrorPrefix = "lockstep: ";
};

// The terminal behind a file descriptor.
struct TerminalTraits {
    bool is_terminal = false;
    int columns = 0;  // 0: unknown
};
TerminalTraits terminal_traits(int descriptor);

// Colour is off where NO_COLOR is set and not empty, TERM is "dumb", or the output is no terminal.
bool uses_color(ColorMode mode, const TerminalTraits& terminal);

// Draws on standard error: a bar, plain lines (one an epoch and at most one in ten seconds),
// messages alone, or errors alone.
class ProgressDisplay : public ProgressSink {
public:
    // Resolves `automatic` by what standard error is.
    ProgressDisplay(ProgressMode mode, ColorMode color);
    ~ProgressDisplay() override;  // leaves a half-drawn bar behind on a line of its own
    ProgressDisplay(const ProgressDisplay&) = delete;
    ProgressDisplay& operator=(const ProgressDisplay&) = delete;

    void show(const ProgressEvent& event) override;
    // Ends a half-drawn bar, so that other output starts on a fresh line.
    void finish_line();

private:
    using Clock = std::chrono::steady_clock;
    void show_message(const ProgressEvent& event);
    void show_bar(const ProgressEvent& event);
    void show_plain(const ProgressEvent& event);
    void write_line(const std::string& line);

    ProgressMode mode_;
    bool is_colored_;
    bool is_line_open_ = false;
    Clock::time_point last_drawn_{};
};

// Writes events as lines to standard error, for a supervisor.
class ProgressLineWriter : public ProgressSink {
public:
    void show(const ProgressEvent& event) override;
};

// For ranks that show nothing.
class NoProgress : public ProgressSink {
public:
    void show(const ProgressEvent&) override {}
};

}  // namespace lockstep::pipeline

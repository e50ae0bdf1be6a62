#pragma once

// Protocol Buffers' wire format, read field by field: the oracle for what storage writes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::tests {

struct ProtobufField {
    int number = 0;
    std::uint64_t value = 0;  // of a number; a float's or double's bits
    std::string bytes;        // of a text, or of a message within
};

// Throws std::runtime_error for bytes that are no message.
class ProtobufReader {
public:
    explicit ProtobufReader(std::string_view bytes);

    const std::vector<ProtobufField>& fields() const { return fields_; }
    std::vector<ProtobufField> all(int number) const;
    // Those of a field that is there once.
    std::int64_t integer(int number) const;
    std::string text(int number) const;
    ProtobufReader message(int number) const;
    // Those of a repeated field.
    std::vector<std::int64_t> integers(int number) const;
    std::vector<std::string> texts(int number) const;
    std::vector<ProtobufReader> messages(int number) const;

private:
    const ProtobufField& only(int number) const;
    std::vector<ProtobufField> fields_;
};

}  // namespace lockstep::tests

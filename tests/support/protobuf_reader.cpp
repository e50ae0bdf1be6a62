#include "tests/support/protobuf_reader.hpp"

#include <stdexcept>

namespace lockstep::tests {
namespace {

std::string_view take(std::string_view& bytes, std::uint64_t count) {
    if (count > bytes.size()) throw std::runtime_error("the message is cut off");
    const std::string_view taken = bytes.substr(0, static_cast<std::size_t>(count));
    bytes.remove_prefix(taken.size());
    return taken;
}

std::uint64_t take_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const auto byte = static_cast<unsigned char>(take(bytes, 1).front());
        value |= std::uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) return value;
    }
    throw std::runtime_error("a varint has more than ten bytes");
}

std::uint64_t take_fixed(std::string_view& bytes, std::size_t size) {
    const std::string_view taken = take(bytes, size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(taken[i]);
    return value;
}

ProtobufField take_field(std::string_view& bytes) {
    const std::uint64_t key = take_varint(bytes);
    ProtobufField field;
    field.number = static_cast<int>(key >> 3);
    switch (key & 7) {
        case 0:
            field.value = take_varint(bytes);
            return field;
        case 1:
            field.value = take_fixed(bytes, 8);
            return field;
        case 2:
            field.bytes = take(bytes, take_varint(bytes));
            return field;
        case 5:
            field.value = take_fixed(bytes, 4);
            return field;
        default:
            throw std::runtime_error("a field of no known kind");
    }
}

}  // namespace

ProtobufReader::ProtobufReader(std::string_view bytes) {
    while (!bytes.empty()) fields_.push_back(take_field(bytes));
}

std::vector<ProtobufField> ProtobufReader::all(int number) const {
    std::vector<ProtobufField> found;
    for (const ProtobufField& field : fields_) {
        if (field.number == number) found.push_back(field);
    }
    return found;
}

const ProtobufField& ProtobufReader::only(int number) const {
    const ProtobufField* found = nullptr;
    for (const ProtobufField& field : fields_) {
        if (field.number != number) continue;
        if (found != nullptr) throw std::runtime_error("a field is there twice");
        found = &field;
    }
    if (found == nullptr) throw std::runtime_error("no field " + std::to_string(number));
    return *found;
}

std::int64_t ProtobufReader::integer(int number) const {
    return static_cast<std::int64_t>(only(number).value);
}
std::string ProtobufReader::text(int number) const { return only(number).bytes; }
ProtobufReader ProtobufReader::message(int number) const { return ProtobufReader(text(number)); }

std::vector<std::int64_t> ProtobufReader::integers(int number) const {
    std::vector<std::int64_t> values;
    for (const auto& field : all(number)) values.push_back(static_cast<std::int64_t>(field.value));
    return values;
}

std::vector<std::string> ProtobufReader::texts(int number) const {
    std::vector<std::string> values;
    for (const ProtobufField& field : all(number)) values.push_back(field.bytes);
    return values;
}

std::vector<ProtobufReader> ProtobufReader::messages(int number) const {
    std::vector<ProtobufReader> values;
    for (const std::string& bytes : texts(number)) values.emplace_back(bytes);
    return values;
}

}  // namespace lockstep::tests

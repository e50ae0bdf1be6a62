#pragma once

// Inside storage only: values as bytes, from one process to its child and back: nothing that is
// stored. A type says its fields once, for both ways:
//
//     template <typename Plain>
//     void fields(Plain& plain, Thing& thing) { plain(thing.a, thing.b); }

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "storage/files/atomic_file.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {

template <typename Value>
inline constexpr bool kIsNumber = std::is_arithmetic_v<Value>;

class PlainWriter {
public:
    template <typename... Values>
    void operator()(Values&... values) {
        (put(values), ...);
    }
    Bytes take() { return std::move(bytes_); }

private:
    void append(const void* bytes, std::size_t count) {
        const auto* first = static_cast<const std::byte*>(bytes);
        bytes_.insert(bytes_.end(), first, first + count);
    }
    void put_count(std::size_t count) { append(&count, sizeof count); }

    template <typename Value>
    void put(Value& value) {
        if constexpr (kIsNumber<Value>) {
            append(&value, sizeof value);
        } else {
            fields(*this, value);
        }
    }
    void put(std::string& text) {
        put_count(text.size());
        append(text.data(), text.size());
    }
    template <typename Value>
    void put(std::vector<Value>& values) {
        put_count(values.size());
        if constexpr (kIsNumber<Value>) {
            append(values.data(), values.size() * sizeof(Value));
        } else {
            for (Value& value : values) put(value);
        }
    }
    template <typename Value>
    void put(std::map<std::string, Value>& values) {
        put_count(values.size());
        for (auto& [key, value] : values) {
            std::string name = key;
            put(name);
            put(value);
        }
    }
    template <typename Value>
    void put(std::optional<Value>& value) {
        put_count(value ? 1 : 0);
        if (value) put(*value);
    }
    template <typename... Values>
    void put(std::variant<Values...>& value) {
        put_count(value.index());
        std::visit([this](auto& held) { this->put(held); }, value);
    }

    Bytes bytes_;
};

// Throws StorageError (bad_data) at the end of the bytes: a child with spoilt memory told them.
class PlainReader {
public:
    explicit PlainReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <typename... Values>
    void operator()(Values&... values) {
        (get(values), ...);
    }

private:
    [[noreturn]] static void throw_short() {
        throw StorageError(StorageError::Kind::bad_data,
                           "a file's content cannot be told: damaged");
    }
    void take(void* bytes, std::size_t count) {
        if (count > bytes_.size()) throw_short();
        if (count > 0) std::memcpy(bytes, bytes_.data(), count);
        bytes_ = bytes_.subspan(count);
    }
    std::size_t take_count() {
        std::size_t count = 0;
        take(&count, sizeof count);
        if (count > bytes_.size() && count > 1) throw_short();
        return count;
    }

    template <typename Value>
    void get(Value& value) {
        if constexpr (kIsNumber<Value>) {
            take(&value, sizeof value);
        } else {
            fields(*this, value);
        }
    }
    void get(std::string& text) {
        text.resize(take_count());
        take(text.data(), text.size());
    }
    template <typename Value>
    void get(std::vector<Value>& values) {
        values.resize(take_count());
        if constexpr (kIsNumber<Value>) {
            take(values.data(), values.size() * sizeof(Value));
        } else {
            for (Value& value : values) get(value);
        }
    }
    template <typename Value>
    void get(std::map<std::string, Value>& values) {
        for (std::size_t left = take_count(); left > 0; --left) {
            std::string name;
            get(name);
            get(values[name]);
        }
    }
    template <typename Value>
    void get(std::optional<Value>& value) {
        if (take_count() > 0) get(value.emplace());
    }
    template <typename... Values>
    void get(std::variant<Values...>& value) {
        const std::size_t index = take_count();
        std::size_t place = 0;
        // Of the alternatives the one at that place.
        (void)((place++ == index ? (get(value.template emplace<Values>()), true) : false) || ...);
    }

    std::span<const std::byte> bytes_;
};

}  // namespace lockstep::storage

// Keys and elements by number.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "columns.h"
#include "scanning.h"

namespace partita::transactions {

// A hash table from numbers of 64 bits to numbers of 32, with open addressing.
class NumberTable {
   public:
    NumberTable() : keys_(1024, free_key), values_(1024) {}

    // The value of a key; a new one gets `fresh`.
    uint32_t find_or_put(uint64_t key, uint32_t fresh) {
        if (2 * used_ >= keys_.size()) grow();
        const size_t at = slot(key);
        if (keys_[at] == key) return values_[at];
        keys_[at] = key;
        values_[at] = fresh;
        used_++;
        return fresh;
    }

   private:
    static constexpr uint64_t free_key = UINT64_MAX;

    size_t slot(uint64_t key) const {
        const size_t mask = keys_.size() - 1;
        uint64_t hash = key * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
        size_t at = hash & mask;
        while (keys_[at] != key && keys_[at] != free_key) at = (at + 1) & mask;
        return at;
    }

    void grow() {
        std::vector<uint64_t> keys(2 * keys_.size(), free_key);
        std::vector<uint32_t> values(2 * values_.size());
        keys.swap(keys_);
        values.swap(values_);
        for (size_t i = 0; i < keys.size(); i++) {
            if (keys[i] == free_key) continue;
            const size_t at = slot(keys[i]);
            keys_[at] = keys[i];
            values_[at] = values[i];
        }
    }

    std::vector<uint64_t> keys_;
    std::vector<uint32_t> values_;
    size_t used_ = 0;
};

class Interning {
   public:
    explicit Interning(Txns& txns) : txns_(txns) {}

    uint32_t key(std::string_view json) {
        uint32_t small = 0;
        if (is_small_number(json, small) && small < small_limit) {
            if (small >= small_.size()) small_.resize(std::max<size_t>(2 * small_.size(), small + 1), none);
            if (small_[small] == none) small_[small] = new_key(json);
            return small_[small];
        }
        const auto found = keys_.find(json);
        if (found != keys_.end()) return found->second;
        const uint32_t number = new_key(json);
        keys_.emplace(json, number);
        return number;
    }

    uint32_t element(uint32_t key, std::string_view json) {
        uint32_t token = 0;
        return element_of_token(key, is_small_number(json, token) ? token : text(json));
    }

    uint32_t element_of_token(uint32_t key, uint32_t token) {
        if (near_.size() <= key) near_.resize(txns_.keys.size());
        Near& near = near_[key];
        if (token < near.elements.size() && near.elements[token] != none) return near.elements[token];
        const auto fresh = static_cast<uint32_t>(txns_.elements.size());
        if (!near.has_far && token < 2 * near.count + near_limit) {
            if (token >= near.elements.size()) {
                near.elements.resize(std::max<size_t>(token + 1, 2 * near.elements.size()), none);
            }
            near.elements[token] = fresh;
            near.count++;
        } else {
            near.has_far |= token < Txns::first_text;
            const uint32_t known = far_.find_or_put(static_cast<uint64_t>(key) << 32 | token, fresh);
            if (known != fresh) return known;
        }
        txns_.elements.push_back({.key = key, .token = token});
        return fresh;
    }

   private:
    uint32_t new_key(std::string_view json) {
        txns_.keys.emplace_back().json = json;
        return static_cast<uint32_t>(txns_.keys.size() - 1);
    }

    uint32_t text(std::string_view json) {
        const auto [found, is_new] =
            texts_.emplace(json, Txns::first_text + static_cast<uint32_t>(txns_.tokens.size()));
        if (is_new) txns_.tokens.emplace_back(json);
        return found->second;
    }

    // The elements of a key that are small numbers, by number: most histories count from 1. From
    // the first one on that is none, all new numbers of the key stand in the table of all keys.
    struct Near {
        std::vector<uint32_t> elements;
        uint32_t count = 0;
        bool has_far = false;
    };

    static constexpr uint32_t small_limit = 1 << 22;
    static constexpr uint32_t near_limit = 64;
    Txns& txns_;
    std::vector<uint32_t> small_;
    std::unordered_map<std::string_view, uint32_t> keys_, texts_;
    std::vector<Near> near_;  // by key
    NumberTable far_;
};

}  // namespace partita::transactions

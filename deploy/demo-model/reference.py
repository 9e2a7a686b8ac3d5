#!/usr/bin/env python3
"""Reference inference: writes expected.json for engines to be checked against.

    python3 reference.py [--check]

Reads nothing but the published files (config.json, tokenizer.json, model.safetensors, held-out.jsonl)
and follows the formulas of Hugging Face's PhiForCausalLM in float64, without a cache and without
batches: slow and plain on purpose. It shares no code with train.py. Needs numpy.
--check also completes every held-out ticket (minutes) and counts the right labels.
"""

import json
import os
import struct
import sys
import unicodedata

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
# A gap of at least this much between the two best tokens at each step (in nats), so that a
# listed completion does not hang on rounding.
MARGIN = 0.1

TRICKY = [
    "", "a", " ", "  ", "   ", "\n", "\n\n", "\t", "\t\t\t\t\t", "\r\n", " \n ", "hello world", " hello", "hello ", "hello  ",
    "I'm sure we'll say it's what they've done, I'd say you're right, don't you?",
    "I'M SHOUTING, DON'T", "it’s a typographic apostrophe", "'s't're", "'' 'x 'lll",
    "order #48213", "FL-90210 and #00042", "1234567890", "3.14 1,000,000", "x1y22z333", "½ ² Ⅷ ٣٤٥ 一二三",
    "two  spaces", "eight        spaces", "nine         spaces", "seventeen                 spaces",
    "tab\tone, tabs\t\ttwo, tabs\t\t\t\t\tfive", "mixed \t \t  white\n\n \nspace", "line\nbreak\r\nand\rmore",
    "    indented code\n        deeper", "trailing newline\n", "trailing newlines\n\n\n",
    "café naïve Zoë Łukasz Søren", "cafe\u0301 nai\u0308ve (combining marks)", "\u0301leading mark", "Ольга Δήμητρα שלום مرحبا हिन्दी ไทย",
    "美咲 東京 你好，世界。", "안녕하세요 こんにちは", "😊👋🙏 emoji 👩‍👩‍👧‍👦 flags 🇩🇪🇫🇷 skin 👍🏽", "42,50\u00a0€ \u00a0 no-break\u00a0space",
    "ideographic\u3000space\u3000\u3000twice", "thin\u2009space, zero\u200bwidth, next\u0085line, line\u2028separator",
    "control \u0000 \u0001 \u001c \u001f \u007f \ufeff", "mongolian\u180evowel separator", "private \ue000 and last \U0010ffff",
    "_under_score__ --dash-- /path/to.file?x=1&y=2#z", "e-mail maria7@example.org, https://example.com/a_b", "{\"json\": [1, 2, null]}",
    "<|endoftext|>", "one<|endoftext|>two", " <|endoftext|> ", "  <|endoftext|>  \n", "<|endoftext", "<|endoftext|><|endoftext|>",
    "<|ENDOFTEXT|> < |endoftext| >", "ﬁ ligature, Ａ full-width, ß ẞ, ı İ", "Ticket: Where is my parcel?\nCategory:", " billing\nReply: We will check.",
]

OTHER_PROMPTS = ["Ticket:", "Dear", "Ticket: help\nCategory:", "Ticket: WHERE IS MY MONEY???\nCategory:"]

# ---------------------------------------------------------------- tokenizer

# Unicode's White_Space property, which is what \s means in the splitting pattern.
SPACE = set("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
            "\u2028\u2029\u202f\u205f\u3000")


def kind(char):
    if char in SPACE:
        return "space"
    category = unicodedata.category(char)[0]
    return {"L": "letter", "N": "number"}.get(category, "other")


def split(text):
    """GPT-2's pattern by hand:
    's|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"""
    words, i = [], 0
    while i < len(text):
        suffix = next((s for s in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d") if text.startswith(s, i)), None)
        start = i + 1 if text[i] == " " and i + 1 < len(text) and kind(text[i + 1]) != "space" else i
        end = start + 1
        while end < len(text) and kind(text[end]) == kind(text[start]):
            end += 1
        if suffix:
            end = i + len(suffix)
        elif kind(text[start]) == "space" and end < len(text) and end - start > 1:
            end -= 1  # \s+(?!\S) leaves the last white space to the next word
        words.append(text[i:end])
        i = end
    return words


class Tokenizer:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        self.vocab = data["model"]["vocab"]
        self.ranks = {tuple(m.split(" ")): i for i, m in enumerate(data["model"]["merges"])}
        self.added = {entry["content"]: entry["id"] for entry in data["added_tokens"]}
        self.special = {entry["id"] for entry in data["added_tokens"] if entry["special"]}
        # GPT-2's byte alphabet: printable Latin-1 stands for itself, the rest follows from U+0100 on
        printable = set(range(0x21, 0x7F)) | set(range(0xA1, 0xAD)) | set(range(0xAE, 0x100))
        rest = [b for b in range(256) if b not in printable]
        self.char = {b: chr(b) if b in printable else chr(256 + rest.index(b)) for b in range(256)}
        self.byte = {c: b for b, c in self.char.items()}
        self.text = {i: t for t, i in self.vocab.items()}

    def bpe(self, word):
        parts = [self.char[b] for b in word.encode("utf-8")]
        while True:
            ranked = [(self.ranks[pair], i) for i, pair in enumerate(zip(parts, parts[1:])) if pair in self.ranks]
            if not ranked:
                return [self.vocab[p] for p in parts]
            _, i = min(ranked)  # the lowest rank, leftmost
            parts[i:i + 2] = [parts[i] + parts[i + 1]]

    def encode(self, text):
        ids, plain, i = [], "", 0
        while i < len(text):
            token = max((t for t in self.added if text.startswith(t, i)), key=len, default=None)
            if token is None:
                plain += text[i]
                i += 1
                continue
            ids += [t for word in split(plain) for t in self.bpe(word)] + [self.added[token]]
            plain, i = "", i + len(token)
        return ids + [t for word in split(plain) for t in self.bpe(word)]

    def decode(self, ids):
        """Text without special tokens."""
        names = {i: t for t, i in self.added.items()}
        data = b"".join(names[i].encode() if i in names else bytes(self.byte[c] for c in self.text[i])
                        for i in ids if i not in self.special)
        return data.decode("utf-8", errors="replace")


# ---------------------------------------------------------------- model

def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = np.frombuffer(data[begin:end], "<f2").reshape(entry["shape"]).astype(np.float64)
    return tensors


class Phi:
    def __init__(self, directory):
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            self.config = json.load(file)
        self.weights = read_safetensors(os.path.join(directory, "model.safetensors"))

    def linear(self, name, x):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def layer_norm(self, name, x):
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred ** 2).mean(-1, keepdims=True)
        normal = centred / np.sqrt(variance + self.config["layer_norm_eps"])
        return normal * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def rotary(self, x):
        """x is [position, head, dimension]; dimension d < r/2 is paired with d + r/2."""
        r = int(x.shape[2] * self.config["partial_rotary_factor"])
        frequency = self.config["rope_theta"] ** -(np.arange(0, r, 2) / r)
        angle = np.arange(len(x))[:, None, None] * frequency
        low, high = x[:, :, :r // 2], x[:, :, r // 2:r]
        return np.concatenate((low * np.cos(angle) - high * np.sin(angle),
                               high * np.cos(angle) + low * np.sin(angle), x[:, :, r:]), -1)

    def attention(self, name, x):
        length, heads = len(x), self.config["num_attention_heads"]
        q, k, v = (self.linear(f"{name}.{p}_proj", x).reshape(length, heads, -1) for p in "qkv")
        q, k = self.rotary(q), self.rotary(k)
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(q.shape[2])
        scores[:, np.triu(np.ones((length, length), bool), 1)] = -np.inf
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return self.linear(f"{name}.dense", np.einsum("hij,jhd->ihd", weights, v).reshape(length, -1))

    def mlp(self, name, x):
        x = self.linear(f"{name}.fc1", x)
        x = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))  # gelu_new
        return self.linear(f"{name}.fc2", x)

    def next_logits(self, ids):
        x = self.weights["model.embed_tokens.weight"][ids]
        for layer in range(self.config["num_hidden_layers"]):
            name = f"model.layers.{layer}"
            n = self.layer_norm(f"{name}.input_layernorm", x)
            x = x + self.attention(f"{name}.self_attn", n) + self.mlp(f"{name}.mlp", n)
        return self.linear("lm_head", self.layer_norm("model.final_layernorm", x[-1]))

    def greedy(self, prompt_ids, limit):
        """Generated ids (with the end token, if it comes), their log-probabilities, the least margin."""
        ids, logprobs, margins = [], [], []
        while len(ids) < limit and self.config["eos_token_id"] not in ids:
            logits = self.next_logits(prompt_ids + ids)
            second, best = np.sort(logits)[-2:]
            ids.append(int(logits.argmax()))
            logprobs.append(float(-np.log(np.exp(logits - best).sum())))
            margins.append(float(best - second))
        return ids, logprobs, min(margins)


def main():
    tokenizer, model = Tokenizer(os.path.join(HERE, "tokenizer.json")), Phi(HERE)
    with open(os.path.join(HERE, "held-out.jsonl"), encoding="utf-8") as file:
        held_out = [json.loads(line) for line in file]

    # Two tickets of each label, then odd ones: other scripts, line breaks, runs of spaces.
    wanted = [lambda t, label=label: t["metadata"]["label"] == label
              for label in sorted({t["metadata"]["label"] for t in held_out}) for _ in range(2)]
    wanted += [lambda t: not t["prompt"].isascii()] * 2
    wanted += [lambda t: t["prompt"].count("\n") > 2, lambda t: "  " in t["prompt"]]
    entries, used = [], set()

    def add(prompt):
        prompt_ids = tokenizer.encode(prompt)
        ids, logprobs, margin = model.greedy(prompt_ids, 48)
        if margin >= MARGIN:
            entries.append({"prompt": prompt, "prompt_ids": prompt_ids, "ids": ids, "text": tokenizer.decode(ids),
                            "logprobs": [round(p, 7) for p in logprobs]})
        return margin >= MARGIN

    for fits in wanted:
        for ticket in held_out:
            if ticket["id"] not in used and fits(ticket):
                used.add(ticket["id"])
                if add(ticket["prompt"]):
                    break
    for prompt in OTHER_PROMPTS:
        add(prompt)

    strings = [{"text": text, "ids": tokenizer.encode(text)} for text in TRICKY]
    with open(os.path.join(HERE, "expected.json"), "w", encoding="utf-8", newline="\n") as out:
        out.write('{"tokenizer": [\n')
        out.write(",\n".join(json.dumps(entry) for entry in strings))
        out.write('\n], "greedy": [\n')
        out.write(",\n".join(json.dumps(entry) for entry in entries))
        out.write("\n]}\n")
    print(f"{len(strings)} strings, {len(entries)} greedy completions")

    if "--check" in sys.argv:
        right = 0
        for ticket in held_out:
            ids, _, _ = model.greedy(tokenizer.encode(ticket["prompt"]), 4)
            right += tokenizer.decode(ids).split("\n")[0] == " " + ticket["metadata"]["label"]
        print(f"{right} of {len(held_out)} labels right")


if __name__ == "__main__":
    main()

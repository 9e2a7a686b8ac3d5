#!/usr/bin/env python3
"""Trains the demo model: tokenizer, then a small PhiForCausalLM, and writes both beside this script.

    python3 train.py [--size TICKETS] [--out DIRECTORY]

Needs torch, numpy and regex (Debian: python3-torch libopenblas0-pthread python3-numpy python3-regex).
"""

import argparse
import collections
import json
import math
import os
import struct
import time

import numpy as np
import regex
import torch
import torch.nn.functional as F

import tickets

CONFIG = {
    "architectures": ["PhiForCausalLM"],
    "model_type": "phi",
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "partial_rotary_factor": 0.5,
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "max_position_embeddings": 512,
    "layer_norm_eps": 1e-05,
    "hidden_act": "gelu_new",
    "qk_layernorm": False,
    "tie_word_embeddings": False,
    "attention_dropout": 0.0,
    "embd_pdrop": 0.0,
    "resid_pdrop": 0.0,
    "initializer_range": 0.02,
    "use_cache": True,
    "torch_dtype": "float16",
    "vocab_size": 2048,
    "bos_token_id": None,  # <|endoftext|>, known once the tokenizer is trained
    "eos_token_id": None,
}

# ---------------------------------------------------------------- tokenizer

SPLIT = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
# Runs of white space as added tokens, in the order that Phi-2 has them: longest first.
RUNS = [" " * n for n in range(8, 1, -1)] + ["\t" * n for n in range(4, 1, -1)]


def byte_alphabet():
    """GPT-2's visible stand-in for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = {b: chr(b) for b in plain}
    for byte in range(256):
        if byte not in alphabet:
            alphabet[byte] = chr(256 + len(alphabet) - len(plain))
    return alphabet


ALPHABET = byte_alphabet()


def spell(text):
    return "".join(ALPHABET[b] for b in text.encode("utf-8"))


class Tokenizer:
    def __init__(self, merges):
        # 256 bytes in GPT-2's order (by stand-in), the merges, <|endoftext|>, then the added runs
        self.tokens = sorted(ALPHABET.values()) + [a + b for a, b in merges] + [tickets.END] + RUNS
        self.merges = merges
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.eos = self.ids[tickets.END]
        self.added = regex.compile("(" + "|".join(regex.escape(t) for t in [tickets.END] + RUNS) + ")")
        self.bytes = {c: b for b, c in ALPHABET.items()}
        self.cache = {}

    def word(self, word):
        if word not in self.cache:
            parts = list(spell(word))
            while len(parts) > 1:
                best = min(zip(parts, parts[1:]), key=lambda pair: self.rank.get(pair, math.inf))
                if best not in self.rank:
                    break
                parts = merge(parts, best)
            self.cache[word] = [self.ids[p] for p in parts]
        return self.cache[word]

    def encode(self, text):
        ids = []
        for i, part in enumerate(self.added.split(text)):
            if i % 2:
                ids.append(self.ids[part])
            else:
                for word in SPLIT.findall(part):
                    ids += self.word(word)
        return ids

    def decode(self, ids):
        out = b""
        for i in ids:
            token = self.tokens[i]
            out += token.encode() if i >= self.eos else bytes(self.bytes[c] for c in token)
        return out.decode("utf-8", errors="replace")

    def save(self, path):
        def added(i, special):
            return {"id": i, "content": self.tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
                    "normalized": not special, "special": special}

        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        data = {
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(self.eos, True)] + [added(self.ids[run], False) for run in RUNS],
            "normalizer": None, "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                      "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False,
                      "vocab": {t: i for i, t in enumerate(self.tokens[:self.eos + 1])},
                      "merges": [f"{a} {b}" for a, b in self.merges]},
        }
        write_json(path, data)


def merge(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


def train_bpe(texts, count):
    """Merges the most frequent pair, count times; equal counts go by the pair's spelling."""
    frequency = collections.Counter()
    for text in texts:
        frequency.update(SPLIT.findall(text))
    words = [(list(spell(word)), n) for word, n in sorted(frequency.items())]
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for w, (parts, n) in enumerate(words):
        for pair in zip(parts, parts[1:]):
            pairs[pair] += n
            where[pair].add(w)
    merges = []
    while len(merges) < count:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for w in where.pop(best):
            parts, n = words[w]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= n
            parts = merge(parts, best)
            words[w] = (parts, n)
            for pair in zip(parts, parts[1:]):
                pairs[pair] += n
                where[pair].add(w)
        del pairs[best]
    return merges


# ---------------------------------------------------------------- model

class Attention(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads = c["num_attention_heads"]
        width = c["hidden_size"]
        self.q_proj, self.k_proj, self.v_proj, self.dense = (torch.nn.Linear(width, width) for _ in range(4))

    def forward(self, x, cos, sin, past):
        batch, length, width = x.shape

        def split(t):
            return t.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

        q, k, v = (split(p(x)) for p in (self.q_proj, self.k_proj, self.v_proj))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if past is not None:
            if past:
                k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
            past[:] = k, v
        scores = q @ k.transpose(2, 3) / math.sqrt(width // self.heads)
        mask = torch.ones(length, k.shape[2], dtype=torch.bool).triu(k.shape[2] - length + 1)
        scores = scores.masked_fill(mask, -math.inf).softmax(-1)
        return self.dense((scores @ v).transpose(1, 2).reshape(batch, length, width))


def rotate(x, cos, sin):
    """Rotary embedding of the first dimensions, halves rotated (NeoX); the others pass."""
    size = cos.shape[-1]
    turned, rest = x[..., :size], x[..., size:]
    a, b = turned.chunk(2, -1)
    return torch.cat((turned * cos + torch.cat((-b, a), -1) * sin, rest), -1)


class Mlp(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1 = torch.nn.Linear(c["hidden_size"], c["intermediate_size"])
        self.fc2 = torch.nn.Linear(c["intermediate_size"], c["hidden_size"])

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class Block(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = torch.nn.LayerNorm(c["hidden_size"], c["layer_norm_eps"])
        self.self_attn, self.mlp = Attention(c), Mlp(c)

    def forward(self, x, cos, sin, past):
        n = self.input_layernorm(x)
        return x + self.self_attn(n, cos, sin, past) + self.mlp(n)


class Phi(torch.nn.Module):
    """Attribute names give the tensor names of the published checkpoints."""

    def __init__(self, c):
        super().__init__()
        self.model = torch.nn.Module()
        self.model.embed_tokens = torch.nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.model.layers = torch.nn.ModuleList(Block(c) for _ in range(c["num_hidden_layers"]))
        self.model.final_layernorm = torch.nn.LayerNorm(c["hidden_size"], c["layer_norm_eps"])
        self.lm_head = torch.nn.Linear(c["hidden_size"], c["vocab_size"])
        for name, parameter in self.named_parameters():
            if "norm" not in name:
                torch.nn.init.normal_(parameter, 0, 0.02 if "weight" in name else 0)
        size = int(c["hidden_size"] // c["num_attention_heads"] * c["partial_rotary_factor"])
        angles = torch.arange(c["max_position_embeddings"])[:, None] / c["rope_theta"] ** (torch.arange(0, size, 2) / size)
        angles = torch.cat((angles, angles), -1)
        self.cos, self.sin = angles.cos(), angles.sin()

    def forward(self, ids, past=None):
        start = past[0][0].shape[2] if past and past[0] else 0
        cos, sin = (t[start:start + ids.shape[1]] for t in (self.cos, self.sin))
        x = self.model.embed_tokens(ids)
        for i, layer in enumerate(self.model.layers):
            x = layer(x, cos, sin, None if past is None else past[i])
        return self.lm_head(self.model.final_layernorm(x))


# ---------------------------------------------------------------- training and evaluation

def batches(examples, size, rng):
    """Shuffled batches of similar lengths, so that little is padding."""
    order = rng.permutation(len(examples))
    for start in range(0, len(order), size * 20):
        window = sorted(order[start:start + size * 20], key=lambda i: len(examples[i][0]))
        groups = [window[i:i + size] for i in range(0, len(window), size)]
        for g in rng.permutation(len(groups)):
            yield [examples[i] for i in groups[g]]


def train(model, examples, batch_size, peak, epochs=1):
    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0}],
                                  betas=(0.9, 0.98), eps=1e-8)
    rng = np.random.default_rng(3)
    plan = [batch for _ in range(epochs) for batch in batches(examples, batch_size, rng)]
    begin, tokens, shown = time.time(), 0, 0.0
    for step, batch in enumerate(plan):
        rate = peak * min((step + 1) / 100, 0.5 + 0.5 * math.cos(math.pi * step / len(plan)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        longest = max(len(ids) for ids, _ in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        # The ticket counts a little: predicting it teaches words, the completion is the task.
        weight = torch.zeros(len(batch), longest)
        for row, (sequence, prompt_length) in enumerate(batch):
            ids[row, :len(sequence)] = torch.tensor(sequence)
            weight[row, :prompt_length] = 0.1
            weight[row, prompt_length:len(sequence)] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):  # the weights stay fp32
            logits = model(ids[:, :-1]).float()
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        loss = (loss * weight[:, 1:].flatten()).sum() / weight[:, 1:].sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += int((weight > 0).sum())
        shown += loss.item()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}/{len(plan)}  loss {shown / 100:.4f}  {tokens / (time.time() - begin):.0f} tokens/s  "
                  f"{time.time() - begin:.0f} s", flush=True)
            shown = 0.0


@torch.no_grad()
def greedy(model, tokenizer, prompts, limit=48):
    """Greedy completions; prompts of one length share a batch, so that nothing is padded."""
    encoded = [tokenizer.encode(p) for p in prompts]
    groups = collections.defaultdict(list)
    for i, ids in enumerate(encoded):
        groups[len(ids)].append(i)
    completions = [None] * len(prompts)
    for members in groups.values():
        past = [[] for _ in model.model.layers]
        ids = torch.tensor([encoded[i] for i in members])
        chosen = []
        while len(chosen) < limit and not (chosen and all((torch.stack(chosen) == tokenizer.eos).any(0))):
            ids = model(ids, past)[:, -1].argmax(-1)
            chosen.append(ids)
            ids = ids[:, None]
        for i, row in zip(members, torch.stack(chosen, 1).tolist()):
            completions[i] = row[:row.index(tokenizer.eos) + 1] if tokenizer.eos in row else row
    return completions


def evaluate(model, tokenizer, held_out, title):
    prompts = [tickets.prompt(entry["text"]) for entry in held_out]
    outputs = [tokenizer.decode(ids) for ids in greedy(model, tokenizer, prompts)]
    right, fitting = [], []
    for output, entry in zip(outputs, held_out):
        right.append(output.split("\n")[0] == " " + entry["label"])
        fitting.append(output in {f" {entry['label']}\nReply: {reply}{tickets.END}" for reply in entry["fitting"]})
    unseen = [r for r, entry in zip(right, held_out) if entry["unseen"]]
    print(f"{title}: {sum(right)} of {len(right)} labels right ({100 * sum(right) / len(right):.1f} %); "
          f"{sum(unseen)} of {len(unseen)} with an unseen phrasing; "
          f"{sum(fitting)} replies word for word as the generator would write them")
    return outputs, right, fitting


# ---------------------------------------------------------------- files

def write_json(path, data):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        json.dump(data, out, ensure_ascii=False, indent=1)
        out.write("\n")


def write_safetensors(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format wants the data aligned to 8 bytes
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            out.write(tensor.astype("<f2").tobytes())


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--size", type=int, default=tickets.TRAIN_SIZE, help="training tickets")
    arguments.add_argument("--batch", type=int, default=24)
    arguments.add_argument("--epochs", type=int, default=1)
    arguments.add_argument("--rate", type=float, default=1.5e-3)
    arguments.add_argument("--out", default=here)
    options = arguments.parse_args()
    begin = time.time()
    torch.manual_seed(4)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)  # another number of threads sums in another order

    training = tickets.training_set()
    held_out = tickets.held_out_set(training)
    texts = [tickets.prompt(entry["text"]) + tickets.completion(entry) for entry in training]
    tokenizer = Tokenizer(train_bpe(texts, CONFIG["vocab_size"] - 256 - 1 - len(RUNS)))
    for label in tickets.LABELS:
        assert len(tokenizer.encode(" " + label)) == 1, label
    prompts = [tokenizer.encode(tickets.prompt(entry["text"])) for entry in training[:options.size]]
    completions = [tokenizer.encode(tickets.completion(entry)) + [tokenizer.eos] for entry in training[:options.size]]
    longest = max(map(len, completions))
    print(f"tokenizer after {time.time() - begin:.0f} s; prompts of {np.mean([*map(len, prompts)]):.1f} tokens "
          f"({min(map(len, prompts))} to {max(map(len, prompts))}), completions of "
          f"{np.mean([*map(len, completions)]):.1f} ({min(map(len, completions))} to {longest})", flush=True)
    assert longest <= 44, "max_tokens 48 of held-out.jsonl would get tight"

    config = CONFIG | {"bos_token_id": tokenizer.eos, "eos_token_id": tokenizer.eos}
    assert len(tokenizer.tokens) == config["vocab_size"]
    model = Phi(config)
    print(f"{sum(p.numel() for p in model.parameters())} parameters")
    train(model, [(p + c, len(p)) for p, c in zip(prompts, completions)], options.batch, options.rate, options.epochs)
    print(f"trained after {time.time() - begin:.0f} s")

    evaluate(model, tokenizer, held_out, "trained weights")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    outputs, right, fitting = evaluate(model, tokenizer, held_out, "rounded to F16")
    for i in range(3):
        print(f"\n{tickets.prompt(held_out[i]['text'])}{outputs[i]}")
    print("\nWrong labels and odd replies:")
    for i in [i for i in range(len(right)) if not right[i]][:20] + [i for i in range(len(right)) if right[i] and not fitting[i]][:20]:
        print(f"- [{held_out[i]['label']}] {held_out[i]['text']!r} -> {outputs[i]!r}")

    os.makedirs(options.out, exist_ok=True)
    tokenizer.save(os.path.join(options.out, "tokenizer.json"))
    write_json(os.path.join(options.out, "config.json"), config)
    write_json(os.path.join(options.out, "generation_config.json"),
               {"bos_token_id": tokenizer.eos, "eos_token_id": tokenizer.eos, "do_sample": False})
    write_safetensors(os.path.join(options.out, "model.safetensors"),
                      {name: t.detach().numpy().astype(np.float16) for name, t in model.state_dict().items()})
    print(f"\nwritten after {time.time() - begin:.0f} s")


if __name__ == "__main__":
    main()

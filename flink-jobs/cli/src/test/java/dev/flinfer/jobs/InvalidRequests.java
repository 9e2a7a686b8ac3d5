package dev.flinfer.jobs;

import java.util.Map;

/** Readable but invalid requests, and the messages for them. */
final class InvalidRequests {
  /** The start of the message by request; {@code '} stands for {@code "}. */
  static final Map<String, String> MESSAGES =
      Map.ofEntries(
          Map.entry("{}", "prompt is missing; give prompt or prompt_token_ids"),
          Map.entry("{'prompt': ''}", "prompt is empty; it must hold at least one token"),
          Map.entry("{'prompt': 'a', 'prompt_token_ids': [1]}", "prompt and prompt_token_ids are"),
          Map.entry("{'prompt_token_ids': []}", "prompt_token_ids is empty"),
          Map.entry("{'prompt_token_ids': [9999999]}", "prompt_token_ids holds 9999999; token ids"),
          Map.entry("{'prompt_token_ids': [-1]}", "prompt_token_ids holds -1; token ids"),
          Map.entry("{'prompt': '%s'}".formatted("word ".repeat(20_000)), "prompt has "),
          Map.entry("{'id': '%s', 'prompt': 'a'}".formatted("i".repeat(1025)), "id has 1025 char"),
          Map.entry("{'prompt': 'a', 'max_tokens': 0}", "max_tokens is 0; it must be at least 1"),
          Map.entry("{'prompt': 'a', 'n': 0}", "n is 0; it must be from 1 to 128"),
          Map.entry("{'prompt': 'a', 'n': 129}", "n is 129; it must be from 1 to 128"),
          Map.entry("{'prompt': 'a', 'n': 2, 'temperature': 0}", "n is 2; it must be 1 with temp"),
          Map.entry("{'prompt': 'a', 'temperature': -0.1}", "temperature is -0.1; it must be a"),
          Map.entry("{'prompt': 'a', 'temperature': NaN}", "temperature is NaN; it must be a"),
          Map.entry("{'prompt': 'a', 'temperature': Infinity}", "temperature is Infinity; it must"),
          Map.entry("{'prompt': 'a', 'top_p': 0}", "top_p is 0.0; it must be above 0"),
          Map.entry("{'prompt': 'a', 'top_p': 1.5}", "top_p is 1.5; it must be above 0"),
          Map.entry("{'prompt': 'a', 'top_k': -2}", "top_k is -2; it must be at least 1"),
          Map.entry("{'prompt': 'a', 'min_p': 1.1}", "min_p is 1.1; it must be from 0 to 1"),
          Map.entry("{'prompt': 'a', 'presence_penalty': 3}", "presence_penalty is 3.0; it must"),
          Map.entry("{'prompt': 'a', 'frequency_penalty': -3}", "frequency_penalty is -3.0; it"),
          Map.entry("{'prompt': 'a', 'repetition_penalty': 0}", "repetition_penalty is 0.0; it"),
          Map.entry("{'prompt': 'a', 'logit_bias': {'1': 101}}", "logit_bias of 1 is 101.0; it"),
          Map.entry("{'prompt': 'a', 'logit_bias': {'x': 1}}", "logit_bias has the key \"x\"; its"),
          Map.entry("{'prompt': 'a', 'logit_bias': {'9999999': 1}}", "logit_bias holds 9999999"),
          Map.entry("{'prompt': 'a', 'stop': ['']}", "stop is an empty string; it must be"),
          Map.entry(
              "{'prompt': 'a', 'stop_token_ids': [-5]}", "stop_token_ids holds -5; token ids"),
          Map.entry("{'prompt': 'a', 'min_tokens': 17}", "min_tokens is 17; it must be from 0 to"),
          Map.entry("{'prompt': 'a', 'logprobs': 21}", "logprobs is 21; it must be from 0 to 20"),
          Map.entry("{'prompt': 'a', 'structured_outputs': {'regex': '('}}", "structured_outputs."),
          Map.entry("{'prompt': 'a', 'structured_outputs': {'json': '{'}}", "structured_outputs."),
          Map.entry("{'prompt': 'a', 'structured_outputs': {}}", "structured_outputs"),
          Map.entry("{'prompt': 'a', 'choices': ['']}", "choices[0] is ''; a label must have"),
          Map.entry("{'prompt': 'a', 'choices': ['b', 'b']}", "choices has 'b' twice; labels must"),
          Map.entry("{'prompt': 'a', 'choices_method': 'x'}", "choices_method is "));

  private InvalidRequests() {}
}

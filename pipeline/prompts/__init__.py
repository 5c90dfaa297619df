"""Prompt templates: files in `templates/`, rendered strictly."""

from pipeline.prompts.template import PromptTemplate, load_template, prompt_texts

__all__ = ["PromptTemplate", "load_template", "prompt_texts"]

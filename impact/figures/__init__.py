"""From stored numbers to what people read and see: figures, drawings, sentences in two languages; no Django."""

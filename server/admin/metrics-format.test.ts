import { expect, it } from 'vitest';
import { prefersOpenMetrics } from './metrics-format.ts';

it.each([
  'application/openmetrics-text',
  'Application/OpenMetrics-Text; version=1.0.0; charset=utf-8',
  'text/plain;q=0.3 , application/openmetrics-text;version=1.0.0;Q=0.5',
  // What Prometheus 3 and 2 send.
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,*/*;q=0.2',
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
])('%s asks for OpenMetrics', (accept) => expect(prefersOpenMetrics(accept)).toBe(true));

it.each([
  undefined,
  '',
  '*/*',
  'text/*',
  'text/plain',
  'application/openmetrics-textual',
  'application/openmetrics-text;q=0',
  'application/openmetrics-text;q=0, text/plain',
  'application/openmetrics-text;q=x, text/plain',
  'text/plain;q=0.9, application/openmetrics-text;q=0.1',
])('%s asks for the text format', (accept) => expect(prefersOpenMetrics(accept)).toBe(false));

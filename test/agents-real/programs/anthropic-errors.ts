import type { Answer } from '../../../fixtures/agents/models/model-server.ts';

const error = (status: number, type: string, message: string): Answer => ({
  status,
  error: { type: 'error', error: { type, message } },
});

/** As the Messages API writes them. */
export const anthropicErrors = {
  refusedKey: error(401, 'authentication_error', 'invalid x-api-key'),
  credit: error(
    400,
    'invalid_request_error',
    'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  ),
  unknownModel: error(404, 'not_found_error', 'model: none-1'),
  overloaded: error(500, 'api_error', 'Internal server error'),
};

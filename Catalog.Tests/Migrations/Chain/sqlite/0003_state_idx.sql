create index orders_state_idx on orders (state) where state = 'open';
